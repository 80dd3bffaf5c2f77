"""Where a study is kept: a PostgreSQL that goes away and comes back, and what can't be opened."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import optuna
import pytest

from nas import storage as storages
from nas.search_error import SearchError
from nas.storage import open_storage
from search_space.errors import UserError


@pytest.fixture
def guest(postgres: Any) -> str:
    """The folder of the server's socket, where the role "guest" is asked for its password, "right"."""
    rules = postgres.pgdata / "pg_hba.conf"
    rule = "local all guest scram-sha-256\n"
    if rule not in rules.read_text():
        postgres.psql("CREATE ROLE guest LOGIN PASSWORD 'right'")
        rules.write_text(rule + rules.read_text())
        postgres.psql("SELECT pg_reload_conf()")
    return str(postgres.pgdata)


def test_waits_for_a_database_that_is_away(postgres: Any, database: str) -> None:
    said: list[str] = []
    storage = open_storage(database, said.append)
    study = optuna.create_study(storage=storage, directions=["maximize", "minimize"])
    trial = study.ask()
    postgres.stop()
    back = threading.Timer(3.0, postgres.ensure_postgres_running)
    back.start()
    study.tell(trial, [30.0, 5.0])
    back.join()
    assert [finished.values for finished in study.get_trials()] == [[30.0, 5.0]]
    away, returned = said
    assert "the storage is away" in away
    assert returned == "the storage is back"


def test_patience_runs_out_once_and_not_for_each_operation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storages, "_BUSY_S", 0.1)
    monkeypatch.setattr(storages, "_PATIENCE_S", 0.2)
    path = tmp_path / "study.db"
    study = optuna.create_study(storage=open_storage(f"sqlite:///{path}", print))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SearchError, match="locked"):
        study.set_user_attr("a", 1)
    monkeypatch.setattr(storages, "_PATIENCE_S", 1e6)  # s, which the next operation doesn't get
    with pytest.raises(SearchError, match="locked"):
        study.set_user_attr("a", 2)
    other.execute("ROLLBACK")
    other.close()
    study.set_user_attr("a", 3)
    assert study.user_attrs == {"a": 3}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://guest:secret@/postgres?host=SOCKET", "password authentication failed"),
        ("postgresql+psycopg://guest:right@/other?host=SOCKET", "does not exist"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/db", "Connection refused"),
        ("postgresql+psycopg://me:secret@nowhere.invalid/db", "nowhere.invalid"),
        ("postgresql+psycopg://me:secret@host:port/db", "'postgresql+psycopg://me:***@host:port/db'"),
        ("mysql://me:secret@host/db", "can't be opened"),
        ("nosuch://me:secret@host/db", "can't be opened"),
    ],
)
def test_what_cannot_be_opened_is_one_line_without_a_password(guest: str, url: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        open_storage(url.replace("SOCKET", guest), print)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("text", ["not a journal\n", '{"op_code": 99}\n', '{"name": 1}\n'])
def test_another_file_is_no_journal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.log"
    path.write_text(text)
    with pytest.raises(UserError, match="no journal of Optuna's"):
        open_storage(str(path), print)
    assert path.read_text() == text


def test_a_journal_goes_on_after_a_line_that_a_full_disk_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "study.log"
    study = optuna.create_study(storage=open_storage(str(path), print))
    study.ask()
    with path.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    for trials in (2, 3):
        again = optuna.load_study(study_name=study.study_name, storage=open_storage(str(path), print))
        again.ask()
        assert len(again.trials) == trials
