"""Proposals of the sampler, through Optuna."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from nas.constraints import parse_constraints
from nas.objectives import parse_objectives
from nas.sampling.pool import Pricer
from nas.sampling.sampler import REPEAT_OF, CostAwareSampler
from nas.sampling.trials import EXPECTED_VALUES, Trials
from search_space import SearchSpace
from search_space.design_arrays import draw
from search_space.errors import UserError

Quality = Callable[[np.ndarray], np.ndarray]
Search = Callable[..., optuna.Study]

OBJECTIVES = parse_objectives("psnr,latency_ms")
BEGINNING = 9  # trainings, at most, that come before the model is asked


@pytest.fixture
def search(space: SearchSpace, costs: Pricer, quality: Quality) -> Search:
    """Asks and tells, with noise that depends on the trial's number alone."""

    def run(sampler: CostAwareSampler, trainings: int, storage: Any = None) -> optuna.Study:
        directions = [objective.direction for objective in sampler.objectives]
        study = optuna.create_study(
            directions=directions, sampler=sampler, storage=storage, study_name="search", load_if_exists=True
        )
        for _ in range(trainings):
            trial = study.ask()
            design = space.positions(space.suggest(trial))[np.newaxis]
            noise = np.random.default_rng(trial.number).normal(0, 0.1)
            known = {name: column[0] for name, column in vars(costs(design)).items()}
            values = known | {"psnr": quality(design)[0] + noise, "ssim": quality(design)[0] / 30}
            study.tell(trial, [float(values[objective.name]) for objective in sampler.objectives])
        return study

    return run


def hashes(space: SearchSpace, study: optuna.Study) -> list[str]:
    return [space.config(trial.params).hash for trial in study.trials]


def test_begins_with_the_first_design_and_spreads_over_latency(
    space: SearchSpace, costs: Pricer, search: Search
) -> None:
    sampler = CostAwareSampler(space, costs, OBJECTIVES)
    study = search(sampler, len(sampler.beginning))
    configs = [space.config(trial.params) for trial in study.trials]
    assert configs == sampler.beginning
    assert configs[0] == space.first
    latencies = np.sort([trial.values[1] for trial in study.trials[1:]])
    everything = costs(draw(space, np.random.default_rng(0), 4000)).latency_ms
    assert len(latencies) > 3
    assert latencies[0] < np.quantile(everything, 0.2)
    assert latencies[-1] > np.quantile(everything, 0.8)


def test_finds_in_few_trainings_what_random_draws_find_in_many(
    space: SearchSpace, costs: Pricer, search: Search, quality: Quality
) -> None:
    study = search(CostAwareSampler(space, costs, OBJECTIVES), 24)
    found = [trial.params for trial in study.best_trials]
    best = [params["up2_upsampler"] == params["up3_upsampler"] == "nearest" for params in found]
    assert np.mean(best) > 0.7


@pytest.mark.parametrize(
    ("names", "at_bound"),
    [("psnr,latency_ms", False), ("psnr,ssim,fps", False), ("psnr,latency_ms,params", True)],
)
def test_one_seed_proposes_the_same_also_from_a_storage_opened_again(
    space: SearchSpace, costs: Pricer, search: Search, tmp_path: Path, names: str, at_bound: bool
) -> None:
    objectives = parse_objectives(names, at_bound)
    make = lambda: CostAwareSampler(space, costs, objectives, seed=3)  # noqa: E731
    at_once = search(make(), BEGINNING + 2)
    storage = f"sqlite:///{tmp_path}/study.db"
    search(make(), BEGINNING + 1, storage)
    continued = search(make(), 1, storage)
    assert hashes(space, continued) == hashes(space, at_once)


def test_goes_on_where_there_are_more_trainings_than_a_model_takes(
    space: SearchSpace, costs: Pricer, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.sampling.proposal._MOST_KNOWN", 5)
    study = search(CostAwareSampler(space, costs, OBJECTIVES), BEGINNING + 3)
    assert len(set(hashes(space, study))) == BEGINNING + 3


def test_proposals_meet_the_constraints_but_for_the_first_design(
    space: SearchSpace, costs: Pricer, search: Search
) -> None:
    drawn = costs(draw(space, np.random.default_rng(1), 4000))
    latency, params = np.quantile(drawn.latency_ms, 0.7), np.quantile(drawn.params, 0.7)
    constraints = parse_constraints([f"latency_ms<{latency}", f"params<={params}", "fits"])
    study = search(CostAwareSampler(space, costs, OBJECTIVES, constraints), BEGINNING + 4)
    designs = np.array([space.positions(space.config(trial.params)) for trial in study.trials])
    allowed = [one.holds_for(vars(costs(designs))) for one in constraints]
    assert np.all(allowed, axis=0)[1:].all()


def test_a_constraint_that_none_meets_names_the_best(space: SearchSpace, costs: Pricer) -> None:
    with pytest.raises(UserError, match=r"no design of \d+ tried meets.*latency_ms <= 1e-06': the best"):
        CostAwareSampler(space, costs, OBJECTIVES, parse_constraints(["latency_ms<=1e-6"]))


def test_what_runs_is_not_proposed_to_others(space: SearchSpace, costs: Pricer, search: Search) -> None:
    study = search(CostAwareSampler(space, costs, OBJECTIVES), BEGINNING + 1)
    at_once = [space.suggest(study.ask()).hash for _ in range(4)]
    assert len(set(at_once)) == 4
    assert not set(at_once) & set(hashes(space, study)[: BEGINNING + 1])


def test_a_design_that_failed_is_not_proposed_again(space: SearchSpace, costs: Pricer) -> None:
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=CostAwareSampler(space, costs, OBJECTIVES)
    )
    for _ in range(BEGINNING + 3):
        trial = study.ask()
        space.suggest(trial)
        study.tell(trial, state=TrialState.FAIL)
    assert len(set(hashes(space, study))) == BEGINNING + 3


def test_trains_again_where_noise_hides_which_design_is_best(space: SearchSpace, costs: Pricer) -> None:
    designs = draw(space, np.random.default_rng(0), 4000)
    few = np.sort(np.unique(costs(designs).params))[5]
    sampler = CostAwareSampler(space, costs, OBJECTIVES, parse_constraints([f"params<={few}"]))
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    repeats = {}
    for number in range(20):
        trial = study.ask()
        latency = costs(space.positions(space.suggest(trial))[np.newaxis]).latency_ms[0]
        if REPEAT_OF in trial.user_attrs:
            repeats[number] = trial.user_attrs[REPEAT_OF]
        study.tell(trial, [20 + np.random.default_rng(number).normal(0, 0.5), latency])
    assert repeats
    for number, earlier in repeats.items():
        assert study.trials[number].user_attrs[REPEAT_OF] == earlier < number
        assert study.trials[number].params == study.trials[earlier].params
    assert len(set(hashes(space, study))) == 20 - len(repeats)


def test_learns_from_what_trainings_that_were_ended_early_were_on_the_way_to(
    space: SearchSpace, costs: Pricer
) -> None:
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=CostAwareSampler(space, costs, OBJECTIVES)
    )
    for values in ([20.0, 1.0], None, [18.0, 2.0]):
        trial = study.ask()
        space.suggest(trial)
        if values is not None:
            trial.set_user_attr(EXPECTED_VALUES, values)
        study.tell(trial, state=TrialState.PRUNED)
    running = study.ask()
    running.set_user_attr(EXPECTED_VALUES, [19.0, 3.0])
    space.suggest(running)
    trials = Trials.of(study, space, but=99)
    assert trials.values.tolist() == [[20, 1], [18, 2]]
    assert trials.numbers.tolist() == [0, 2]
    assert len(trials.tried) == 4
    assert len(trials.pending) == 1


def test_a_space_of_which_everything_was_tried_is_exhausted(space: SearchSpace, costs: Pricer) -> None:
    latencies = np.sort(np.unique(costs(draw(space, np.random.default_rng(0), 4000)).latency_ms))
    constraints = parse_constraints([f"latency_ms<={latencies[2]}"])
    sampler = CostAwareSampler(space, costs, OBJECTIVES, constraints)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _ in range(40):
        trial = study.ask()
        space.suggest(trial)
        study.tell(trial, state=TrialState.PRUNED)
        if sampler.exhausted:
            break
    assert sampler.exhausted
    assert hashes(space, study)[-1] in hashes(space, study)[:-1]


def test_parameters_of_no_space_are_refused(space: SearchSpace, costs: Pricer) -> None:
    study = optuna.create_study(sampler=CostAwareSampler(space, costs, OBJECTIVES))
    with pytest.raises(ValueError, match=r"'learning_rate' .* is not one of the space"):
        study.ask().suggest_float("learning_rate", 0, 1)
