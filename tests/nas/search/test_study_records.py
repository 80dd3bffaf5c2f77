"""A study on disk: how it is continued, and what becomes of trials that were cut off."""

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from nas.objectives import parse_objectives
from nas.study import FAILED, INTERRUPTED, TRAINED, Definition, Study, record_of
from search_space.errors import UserError

DEFINITION = Definition(
    teacher="tiny",
    weights={"kind": "path", "source": "tiny", "digest": "abc", "description": "weights from tiny"},
    footage="0123",
    device="iphone-16-pro",
    device_digest="4567",
    resolution=(64, 64),
    frames=5,
    memory=None,
    preset="cpu",
    settings={"training": {"steps": 4, "batch": 2}},
    seed=0,
    objectives=parse_objectives("psnr,latency_ms"),
    constraints=("fps >= 24",),
    space={"teacher": "tiny"},
)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def trained(hash_: str, psnr: float, latency: float) -> dict[str, Any]:
    costs = {"latency_ms": latency}
    return {"outcome": TRAINED, "hash": hash_, "costs": costs, "metrics": {"psnr": psnr}}


def test_continues_with_what_it_knew(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    for name, psnr, latency in (("slow", 30.0, 9.0), ("fast", 25.0, 1.0), ("beaten", 24.0, 2.0)):
        study.finish(study.ask(), trained(name, psnr, latency))
    study.finish(study.ask(), {"outcome": "refused", "hash": "big", "reason": "params"})

    again = Study.open(storage, "a", DEFINITION)
    assert again.trained == 3
    assert again.known() == {"slow": 0, "fast": 1, "beaten": 2, "big": 3}
    assert [record_of(trial)["hash"] for trial in again.front()] == ["fast", "slow"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": DEFINITION.weights | {"digest": "xyz"}}, "weights.digest abc, not xyz"),
        ({"device": "other"}, "device iphone-16-pro, not other"),
        ({"resolution": (64, 32)}, r"resolution \[64, 64\], not \[64, 32\]"),
        ({"settings": {"training": {"steps": 5, "batch": 2}}}, "settings.training.steps 4, not 5"),
        ({"objectives": parse_objectives("ssim,latency_ms")}, "objectives"),
        ({"constraints": ()}, "constraints"),
        ({"footage": "other"}, "footage 0123, not other"),
        ({"footage": "other", "seed": 1}, "seed 0, not 1"),
    ],
)
def test_refuses_to_continue_with_other_terms(storage: str, change: dict[str, Any], said: str) -> None:
    Study.open(storage, "a", DEFINITION)
    with pytest.raises(UserError, match=said):
        Study.open(storage, "a", replace(DEFINITION, **change))


def test_trials_of_a_dead_process_are_failed_and_not_tried_again(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    dead, elsewhere, alive = (study.ask() for _ in range(3))
    for trial, hash_ in ((dead, "dead"), (elsewhere, "elsewhere"), (alive, "alive")):
        study.start(trial, {"hash": hash_})
    elsewhere.set_user_attr("record", {"hash": "elsewhere", "host": "another", "process": 1})
    alive.set_user_attr("record", {"hash": "alive", "host": socket.gethostname(), "process": os.getppid()})

    assert Study.open(storage, "a", DEFINITION).retire_dead() == 1
    failed, *running = study.trials()
    assert failed.state == TrialState.FAIL
    assert record_of(failed)["reason"] == "its process ended during the training"
    assert [trial.state for trial in running] == [TrialState.RUNNING] * 2
    assert "dead" in study.known()


def test_a_design_that_was_asked_for_but_not_begun_is_tried_again(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.enqueue({"width": 16})
    study.ask()  # and the process is killed

    again = Study.open(storage, "a", DEFINITION)
    assert again.retire_dead() == 1
    assert again.ask().suggest_int("width", 8, 32) == 16


def test_a_trial_that_was_over_when_its_process_ended_keeps_its_outcome(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.ask().set_user_attr("record", trained("over", 30.0, 1.0))  # and is killed before Optuna is told

    again = Study.open(storage, "a", DEFINITION)
    assert again.retire_dead() == 0
    assert again.trained == 1
    assert [trial.values for trial in again.front()] == [[30.0, 1.0]]


def test_a_study_that_was_made_but_not_yet_defined_is_begun(storage: str) -> None:
    optuna.create_study(storage=storage, study_name="a", directions=["maximize", "minimize"])
    assert Study.open(storage, "a", DEFINITION).definition == DEFINITION
    assert Study.open(storage, "a", DEFINITION).trained == 0


def test_a_study_of_others_is_left_alone(storage: str) -> None:
    theirs = optuna.create_study(storage=storage, study_name="a", directions=["maximize", "minimize"])
    theirs.ask()
    with pytest.raises(UserError, match="was not made by nas search"):
        Study.open(storage, "a", DEFINITION)
    optuna.create_study(storage=storage, study_name="b")
    with pytest.raises(UserError, match="was not made by nas search"):
        Study.open(storage, "b", DEFINITION)


def test_the_same_weights_may_have_moved(storage: str) -> None:
    Study.open(storage, "a", DEFINITION)
    moved = replace(DEFINITION, weights=DEFINITION.weights | {"source": "elsewhere"})
    assert Study.open(storage, "a", moved).trained == 0


def test_an_interrupted_design_is_not_known(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.finish(study.ask(), {"outcome": FAILED, "hash": "cut off", "reason": INTERRUPTED})
    assert study.known() == {}


def test_other_databases_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, " * 100)
    for storage in (f"sqlite:///{tmp_path / 'text.db'}", "nonsense", "postgresql://me:secret@nowhere/db"):
        with pytest.raises(UserError) as error:
            Study.open(storage, "a", DEFINITION)
        assert "\n" not in str(error.value)
        assert "secret" not in str(error.value)
