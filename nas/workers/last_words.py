"""What is said where a process is ended without a chance to say it.

Ray ends a process at once whose node is lost. So another process holds a pipe to it, and speaks when the pipe
closes without a word: `python -m nas.workers.last_words WORDS`, started by `LastWords`.
"""

from __future__ import annotations

import subprocess
import sys


class LastWords:
    """Words that appear on standard error should this process end before `close`."""

    def __init__(self, words: str) -> None:
        """Starts the process that would say them."""
        self._speaker = subprocess.Popen(
            [sys.executable, "-m", "nas.workers.last_words", words],
            stdin=subprocess.PIPE,
            process_group=0,  # out of reach of a terminal's Ctrl-C, after which there is nothing to say
        )

    def close(self) -> None:
        """Takes them back."""
        self._speaker.communicate(b"over")


if __name__ == "__main__":
    if not sys.stdin.buffer.read():
        print(sys.argv[1], file=sys.stderr)
