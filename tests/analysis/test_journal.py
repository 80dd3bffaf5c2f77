"""A journal file gives the table that the same study gives from a database."""

from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from study_writer import refused, trained, write_study

from analysis import load_study
from search_space.errors import UserError


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of a finished, a refused and a running trial; `run/study.db` beside it holds the same."""
    records = [trained(31.5, 200.0), refused(900.0, "fps >= 24: 18.9"), {"outcome": "running"}]
    directory = write_study(tmp_path / "run", records)
    path = tmp_path / "study.log"
    optuna.copy_study(
        from_study_name="run",
        from_storage=f"sqlite:///{directory / 'study.db'}",
        to_storage=JournalStorage(JournalFileBackend(str(path))),
    )
    return path


def test_is_the_table_of_the_same_study_in_a_database(journal: Path) -> None:
    before = journal.read_bytes()
    pd.testing.assert_frame_equal(load_study(journal), load_study(journal.with_name("run")))
    assert journal.read_bytes() == before
    assert not list(journal.parent.glob("*.lock"))


def test_reads_up_to_a_line_that_is_being_written(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    assert len(load_study(journal)) == 3


def test_several_studies_in_one_journal(journal: Path) -> None:
    optuna.create_study(study_name="b", storage=JournalStorage(JournalFileBackend(str(journal))))
    with pytest.raises(UserError, match="say which: run, b"):
        load_study(journal)
    assert len(load_study(journal, "run")) == 3
    with pytest.raises(UserError, match="not one that `nas search` made"):
        load_study(journal, "b")


@pytest.mark.parametrize(
    "text", ["", '{"name": "other"}\n', '{"op_code": 0}\n', '{"op_code": 99}\n', "{\n{\n"]
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.log"
    path.write_text(text)
    with pytest.raises(UserError, match=r"other\.log") as error:
        load_study(path)
    assert "\n" not in str(error.value)
