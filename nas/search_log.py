"""The log of a search: what this package logs, tracebacks above all, kept in a file of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _LogFile(logging.FileHandler):
    """Lets a line go that can't be written: a full disk is said where results are."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Has what this package logs, tracebacks above all, written to a file."""
    handler = _LogFile(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("nas")
    package.addHandler(handler)
    propagated, package.propagate = package.propagate, False
    try:
        yield
    finally:
        package.propagate = propagated
        package.removeHandler(handler)
        handler.close()
