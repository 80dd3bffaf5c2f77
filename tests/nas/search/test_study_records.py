"""A study on disk: how it is continued, and what becomes of trials that were cut off."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from nas import claims
from nas.definition import Definition, circumstances
from nas.objectives import parse_objectives
from nas.record import FAILED, INTERRUPTED, LOST, TRAINED, record_of
from nas.storage import open_storage
from nas.study import Study
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


def test_names_every_prior_that_it_was_continued_with(storage: str) -> None:
    for prior in ("shipped, 411 trainings", "shipped, 411 trainings", "runs/other, 20 trainings"):
        study = Study.open(storage, "a", DEFINITION)
        study.note_prior(prior)
        study.note(run="elsewhere")
    priors = optuna.load_study(study_name="a", storage=storage).user_attrs["study"]["priors"]
    assert priors == ["shipped, 411 trainings", "runs/other, 20 trainings"]


def test_continues_with_what_it_knew(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    for name, psnr, latency in (("slow", 30.0, 9.0), ("fast", 25.0, 1.0), ("beaten", 24.0, 2.0)):
        study.finish(study.ask(), trained(name, psnr, latency))
    study.finish(study.ask(), {"outcome": "refused", "hash": "big", "reason": "params"})

    again = Study.open(storage, "a", DEFINITION)
    assert claims.spent(again.trials()) == 3
    assert claims.tried(again.trials(), -1) == {"slow": 0, "fast": 1, "beaten": 2, "big": 3}
    assert [record["hash"] for _, record in again.front()] == ["fast", "slow"]


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


def test_what_a_dead_main_was_training_is_tried_again_once(storage: str) -> None:
    dead = Study.open(storage, "a", DEFINITION)
    dead.enqueue({"width": 16})
    for attempt, reason in ((1, LOST), (2, "its process ended during the training, twice")):
        trial = dead.ask()
        assert trial.suggest_int("width", 8, 32) == 16
        assert trial.user_attrs.get("attempt", 1) == attempt
        dead.start(trial, {"hash": "x", "seed": 0, "attempt": attempt})

        again = Study.open(storage, "a", DEFINITION)
        assert again.reap() == [trial.number]
        failed = again.trials()[trial.number]
        assert failed.state == TrialState.FAIL
        assert record_of(failed)["reason"] == reason
    assert not again.trials(TrialState.WAITING)
    assert "x" in claims.tried(again.trials(), -1)


def test_what_two_mains_find_dead_is_trained_once(storage: str) -> None:
    dead = Study.open(storage, "a", DEFINITION)
    dead.enqueue({"width": 16}, repeat_of=0)
    trial = dead.ask()
    trial.suggest_int("width", 8, 32)
    dead.start(trial, {"hash": "x", "seed": 0})
    one, other = Study.open(storage, "a", DEFINITION), Study.open(storage, "a", DEFINITION)
    assert one.reap() == [0]
    # Whoever looked before that enqueues it too; who looks later doesn't.
    other.enqueue({"width": 16}, repeat_of=0, again_of=0, attempt=2)
    other.give_back(trial, {})
    assert len(one.trials(TrialState.WAITING)) == 2
    first, second = one.ask(), other.ask()
    assert "seed" in one.claim(first, {"hash": "x"}, budget=9)
    assert other.claim(second, {"hash": "x"}, budget=9) == {
        "outcome": "repeated",
        "reason": f"the same design as trial {first.number}",
    }


def test_what_a_living_main_is_at_is_left_alone(storage: str) -> None:
    living = Study.open(storage, "a", DEFINITION)
    with living.at_work():
        living.start(living.ask(), {"hash": "x", "seed": 0})
        living.ask()  # and hasn't said yet what for
        assert Study.open(storage, "a", DEFINITION).reap() == []
    assert Study.open(storage, "a", DEFINITION).reap() == [0, 1]


def test_what_was_taken_from_a_main_is_not_told_by_it(storage: str) -> None:
    silent = Study.open(storage, "a", DEFINITION)
    trial = silent.ask()
    silent.start(trial, {"hash": "x", "seed": 0})
    Study.open(storage, "a", DEFINITION).reap()
    silent.expect(trial, [30.0, 1.0])
    assert not silent.finish(trial, trained("x", 30.0, 1.0))
    assert claims.spent(silent.trials()) == 0


def test_a_result_that_was_told_already_is_kept(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    trial = study.ask()
    assert study.finish(trial, trained("x", 30.0, 1.0))
    assert study.finish(trial, trained("x", 30.0, 1.0))


def test_a_design_that_was_asked_for_but_not_begun_is_tried_again(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.enqueue({"width": 16})
    study.ask()  # and the process is killed

    again = Study.open(storage, "a", DEFINITION)
    assert again.reap() == [0]
    trial = again.ask()
    assert trial.suggest_int("width", 8, 32) == 16
    assert "attempt" not in trial.user_attrs


def test_a_trial_that_was_over_when_its_process_ended_keeps_its_outcome(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.ask().set_user_attr("record", trained("over", 30.0, 1.0))  # and is killed before Optuna is told

    again = Study.open(storage, "a", DEFINITION)
    assert again.reap() == []
    assert claims.spent(again.trials()) == 1
    assert [trial.values for trial in again.trials()] == [[30.0, 1.0]]


def test_of_two_that_make_a_study_at_once_the_second_is_refused(storage: str) -> None:
    open_storage(storage, print)  # with its tables
    at_once = Barrier(2)

    def make(seed: int) -> str:
        at_once.wait()
        try:
            Study.open(storage, "a", replace(DEFINITION, seed=seed))
        except UserError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(make, (1, 2)))
    (refused,) = (index for index, text in enumerate(said) if text)
    first, second = (2, 1) if refused == 0 else (1, 2)
    assert f"was begun with seed {first}, not {second}" in said[refused]
    made = optuna.load_study(study_name="a", storage=storage).user_attrs["study"]
    assert made["seed"] == first


@pytest.mark.usefixtures("impatient")
def test_who_makes_a_study_slowly_leaves_it_as_another_has_defined_it(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = optuna.create_study

    def make_slowly(**terms: Any) -> optuna.Study:
        made = make(**terms)
        Study.open(storage, "a", replace(DEFINITION, seed=1))
        return made

    monkeypatch.setattr(optuna, "create_study", make_slowly)
    with pytest.raises(UserError, match="was begun with seed 1, not 0"):
        Study.open(storage, "a", DEFINITION)


def test_of_two_that_define_a_study_at_once_the_first_ends_before_it_works(storage: str) -> None:
    first = Study.open(storage, "a", DEFINITION)
    second = replace(DEFINITION, seed=1).to_dict() | circumstances()
    optuna.load_study(study_name="a", storage=storage).set_user_attr("study", second)
    with pytest.raises(UserError, match="was begun with seed 1, not 0"), first.at_work():
        pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for another process to define a study."""
    monkeypatch.setattr("nas.study._DEFINED_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_study_that_was_made_but_not_yet_defined_is_begun(storage: str) -> None:
    optuna.create_study(storage=storage, study_name="a", directions=["maximize", "minimize"])
    assert Study.open(storage, "a", DEFINITION).definition == DEFINITION
    assert not Study.open(storage, "a", DEFINITION).trials()


@pytest.mark.usefixtures("impatient")
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
    moved = replace(DEFINITION, weights=DEFINITION.weights | {"source": "elsewhere"}, preset="renamed")
    assert not Study.open(storage, "a", moved).trials()


def test_an_interrupted_design_is_not_known(storage: str) -> None:
    study = Study.open(storage, "a", DEFINITION)
    study.finish(study.ask(), {"outcome": FAILED, "hash": "cut off", "reason": INTERRUPTED})
    assert claims.tried(study.trials(), -1) == {}


def test_what_confirms_a_design_is_kept_beside_what_others_keep(storage: str) -> None:
    together = {"steps": 8, "runs": [{"seed": seed, "metrics": {"psnr": 30.0}} for seed in (5, 7)]}
    one, other = Study.open(storage, "a", DEFINITION), Study.open(storage, "a", DEFINITION)
    optuna.load_study(study_name="a", storage=storage).set_user_attr("confirmed:1", together)
    one.confirm(1, {"seed": 7, "steps": 16})
    other.confirm(1, {"seed": 6, "steps": 16})
    one.confirm(12, {"seed": 6, "steps": 16})
    kept = [(each["seed"], each["steps"]) for each in one.confirmation(1)]
    assert kept == [(5, 8), (6, 16), (7, 8), (7, 16)]
    assert one.confirmed == {1, 12}


def test_other_databases_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, " * 100)
    for storage in (f"sqlite:///{tmp_path / 'text.db'}", "nonsense", "postgresql://me:secret@nowhere/db"):
        with pytest.raises(UserError) as error:
            Study.open(storage, "a", DEFINITION)
        assert "\n" not in str(error.value)
        assert "secret" not in str(error.value)
