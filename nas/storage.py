"""Where a study is kept: a database, or Optuna's journal file; and patience with one that is away."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from nas.search_error import SearchError
from search_space.errors import UserError, first_line, without_password

_PATIENCE_S = 600.0
_PAUSES_S = (0.1, 0.5, 2.0, 5.0)  # between tries; the last again and again
_BUSY_S = 60.0  # that SQLite waits for its file while other processes write
# How soon psycopg notices a server that is gone without a word; libpq's own answers are minutes and hours.
_POSTGRES = {
    "connect_timeout": 10,  # s
    "keepalives_idle": 15,  # s
    "keepalives_interval": 5,  # s
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms
}
_OPENINGS = 5  # tries, since processes that make the same tables at the same time get in each other's way


def open_storage(where: str, say: Callable[[str], None]) -> BaseStorage:
    """Opens a storage, and makes it where there is none.

    Args:
        where: a database URL, or the path of a journal file, which ends in ".log".
        say: hears when the storage is away, and when it is back.

    Returns:
        The storage. While it is away its operations wait, for up to ten minutes; then they raise SearchError.

    Raises:
        UserError: it can't be opened; the message holds no password.
    """
    shown = without_password(where)
    try:
        storage = _journal(where) if is_journal(where) else _database(where)
    except (ImportError, ValueError, OSError, SQLAlchemyError, StorageInternalError) as error:
        raise UserError(f"storage '{shown}' can't be opened: {_cause(error)}") from None
    # Everything that Optuna asks of a storage goes through; it never asks what class it is of.
    return cast(BaseStorage, _Patient(storage, shown, say))


def is_journal(where: str) -> bool:
    """Whether a storage is given as the path of a journal file."""
    return "://" not in where and where.endswith(".log")


def _journal(where: str) -> BaseStorage:
    path = Path(where)
    try:
        if path.exists():
            _mend(path)
        return JournalStorage(JournalFileBackend(where))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
    ):  # lines that Optuna didn't write
        raise ValueError("it is no journal of Optuna's") from None


def _mend(path: Path) -> None:
    """Takes away a last line that a full disk cut short: Optuna would append to it, and then read neither.

    Raises:
        ValueError: the file doesn't begin as a journal does.
    """
    lock = JournalFileSymlinkLock(str(path))
    with path.open("r+b") as file:
        if file.read(1) not in (b"{", b""):
            raise ValueError
        lock.acquire()  # else it may be a line that is being written
        try:
            file.seek(0)
            if not (lines := file.read()).endswith(b"\n"):
                file.truncate(lines.rfind(b"\n") + 1)
        finally:
            lock.release()


def _database(where: str) -> BaseStorage:
    url = sqlalchemy.make_url(where)
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": _BUSY_S} if sqlite else {}
    if url.drivername.startswith("postgresql") and url.get_dialect().driver.startswith("psycopg"):
        arguments = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    options = {"connect_args": arguments}
    for remaining in reversed(range(_OPENINGS)):
        try:
            storage = optuna.storages.get_storage(RDBStorage(where, engine_kwargs=options))
            storage.get_all_studies()
            return storage
        except (SQLAlchemyError, StorageInternalError) as error:
            if remaining == 0 or (isinstance(_database_error(error), OperationalError) and not sqlite):
                raise
        time.sleep(0.3)
    raise AssertionError


class _Patient:
    """A storage whose every operation is tried again while the database is away."""

    def __init__(self, storage: BaseStorage, shown: str, say: Callable[[str], None]) -> None:
        self._storage, self._shown, self._say = storage, shown, say
        self._away = self._given_up = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._storage, name)
        return partial(self._patiently, value) if callable(value) else value

    def _patiently(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # What is still to be written once patience ran out gets one try each, not ten minutes each.
        deadline = time.monotonic() + (0.0 if self._given_up else _PATIENCE_S)
        tries = 0
        while True:
            try:
                result = operation(*args, **kwargs)
            except (SQLAlchemyError, StorageInternalError, OSError) as error:
                passes = _passes(error)
                if not passes or time.monotonic() >= deadline:
                    self._given_up = passes
                    raise SearchError(f"storage '{self._shown}': {_cause(error)}") from error
                if tries == len(_PAUSES_S) - 1 and not self._away:
                    self._away = True
                    self._say(f"the storage is away ({_cause(error)}): trying again for up to ten minutes")
                time.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
                tries += 1
                continue
            self._given_up = False
            if self._away:
                self._away = False
                self._say("the storage is back")
            return result


def _passes(error: Exception) -> bool:
    """Whether an error may be over soon: no connection, or a file that another process holds."""
    cause = _database_error(error)
    if not isinstance(cause, OperationalError | InterfaceError):
        return False
    if isinstance(cause.orig, sqlite3.Error):
        return "locked" in str(cause.orig)
    return True


def _database_error(error: BaseException) -> BaseException:
    """What is behind Optuna's own error."""
    return error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error


def _cause(error: Exception) -> str:
    """One line without a password."""
    cause = _database_error(error)
    if isinstance(cause, DBAPIError) and cause.orig is not None:
        cause = cause.orig
    if isinstance(cause, OSError):
        return cause.strerror or str(cause)
    return first_line(cause) if isinstance(cause, Exception) else str(cause)
