"""Files that appear whole or not at all: written under another name beside their place, then renamed.

Writers may be killed, or run side by side: each has a name of its own.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.part")
_DAY_S = 24 * 3600.0


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Gives the path to write to; it takes the place of `path` when the block ends without an exception.

    What killed writers left in the folder more than a day ago is removed.

    Raises:
        OSError: where the file can't be renamed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    remove_old((file for file in path.parent.iterdir() if _UNFINISHED.fullmatch(file.name)), days=1)


def remove_old(files: Iterator[Path], days: float) -> None:
    """Removes the files that were not touched for that long. One that can't be is left."""
    for file in files:
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > days * _DAY_S:
                file.unlink()
