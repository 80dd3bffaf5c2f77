"""Studies of an older version, and of a newer one: the shipped one is of version 1."""

import shutil
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from nas.definition import Definition
from nas.objectives import Objective
from nas.study import Study
from search_space.errors import UserError

SHIPPED = Path(__file__).parents[3] / "benchmarks" / "studies" / "wan-h100" / "study.db"


@pytest.fixture
def old(tmp_path: Path) -> optuna.Study:
    """A copy of the shipped study."""
    shutil.copy(SHIPPED, tmp_path)
    return optuna.load_study(study_name=None, storage=f"sqlite:///{tmp_path / SHIPPED.name}")


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / SHIPPED.name}"


@pytest.fixture
def definition(old: optuna.Study) -> Definition:
    """As the study was begun, in the words of today."""
    record = old.user_attrs["study"]
    known = {name: record[name] for name in Definition.__dataclass_fields__ if name in record}
    training = record["settings"]["training"] | {"window": None, "schedule": "cosine"}
    return Definition(
        **known
        | {
            "memory": None,
            "resolution": tuple(record["resolution"]),
            "settings": record["settings"] | {"training": training},
            "objectives": tuple(Objective(**objective) for objective in record["objectives"]),
            "constraints": tuple(record["constraints"]),
        }
    )


def test_an_old_study_is_continued_as_one_of_today(
    old: optuna.Study, storage: str, definition: Definition
) -> None:
    assert old.user_attrs["study"]["version"] == 1
    continued = Study.open(storage, old.study_name, definition)
    assert {str(number) for number in continued.repriced} == set(old.user_attrs["repriced"])
    assert old.user_attrs["study"]["version"] == 2
    assert [number for number, _ in continued.front()] == [8, 18, 10, 15, 9, 3]


def test_an_old_study_that_is_not_continued_stays_as_it_is(
    old: optuna.Study, storage: str, definition: Definition
) -> None:
    training = definition.settings["training"] | {"schedule": "constant"}
    other = replace(definition, settings=definition.settings | {"training": training})
    with pytest.raises(UserError, match="schedule cosine, not constant"):
        Study.open(storage, old.study_name, other)
    assert old.user_attrs["study"]["version"] == 1


def test_a_study_of_a_newer_version_is_refused(
    old: optuna.Study, storage: str, definition: Definition
) -> None:
    old.set_user_attr("study", old.user_attrs["study"] | {"version": 3})
    with pytest.raises(UserError, match="is of version 3, by a newer nas; this one knows 2"):
        Study.open(storage, old.study_name, definition)
