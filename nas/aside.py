"""Files that appear whole or not at all: written under another name beside their place, then renamed.

`written_aside` is for writers that run side by side, each under a name of its own; `write_whole` for a single
one, whose file must be on the disk before anything else happens.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from search_space.errors import UserError

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.part")
_DAY_S = 24 * 3600.0


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Gives the path to write to; it takes the place of `path` when the block ends without an exception.

    What killed writers left in the folder more than a day ago is removed, once a process.

    Raises:
        OSError: where the file can't be renamed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _tidy(path.parent)


@cache  # a folder may hold thousands of files, and be written to as often
def _tidy(folder: Path) -> None:
    remove_old((file for file in folder.iterdir() if _UNFINISHED.fullmatch(file.name)), days=1)


def remove_old(files: Iterator[Path], days: float) -> None:
    """Removes the files that were not touched for that long. One that can't be is left."""
    for file in files:
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > days * _DAY_S:
                file.unlink()


def write_whole(path: Path, contents: bytes) -> None:
    """Writes a file so that, whatever happens, either the old or the new one is there, on the disk.

    Raises:
        UserError: it can't be written, as on a full disk; the old one stays.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        kept = "; the one before it is whole" if path.exists() else ""
        raise UserError(f"{path} can't be written ({error.strerror}){kept}") from None
