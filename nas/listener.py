"""Who hears how a training or an evaluation goes."""

from __future__ import annotations


class Listener:
    """Hears it and says nothing; the command line's own say it on a terminal."""

    def say(self, text: str) -> None:
        """A line that matters to whoever waits."""

    def progress(self, what: str, done: int, total: int | None = None) -> None:
        """So much of something is done, of `total` if that is known."""

    def close(self) -> None:
        """It is over, however it ended."""
