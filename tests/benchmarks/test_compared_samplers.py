"""Searches on simulated trainings, and how they are scored."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from nas.costs.tables.space_costs import SpaceCosts
from search_space import SearchSpace

pytestmark = pytest.mark.usefixtures("benchmarks")


@dataclass(frozen=True)
class Arithmetic:
    """Trainings whose PSNR is the logarithm of the design's arithmetic."""

    costs: SpaceCosts

    def train(self, design: np.ndarray, seed: int):
        from surrogate.model import Simulated

        priced = self.costs.costs(design[None])
        psnr = float(np.log10(priced.flops[0]))
        return Simulated(psnr, psnr, ((80, psnr),), 1.0, float(priced.latency_ms[0]))


@pytest.fixture(scope="module")
def problem(small_space: SearchSpace, small_costs: SpaceCosts):
    from samplers.problem import Problem

    return Problem(small_space, small_costs.costs, Arithmetic(small_costs), prior=None)


@pytest.mark.parametrize(
    "name",
    [
        "ours",
        "random",
        "random, stratified",
        "TPE",
        "NSGA-II",
        "evolution as in Archai",
        "qLogNEHVI, BoTorch",
    ],
)
def test_a_search_begins_with_the_published_design_and_goes_on_with_others(name: str, problem) -> None:
    from samplers.searches import CONTESTANTS, trials

    run = [list(trials(CONTESTANTS[name].begin(problem, 3), problem, 13, 3)) for _ in range(2)]
    designs = [[trial.design.tobytes() for trial in trials] for trials in run]
    assert designs[0] == designs[1]
    assert designs[0][0] == problem.first.tobytes()
    assert len(set(designs[0])) == 13 or name == "ours"  # which may train a design again


def test_hypervolume_counts_what_is_better_than_the_reference() -> None:
    from samplers.scoring import Reference, hypervolumes, trainings_to

    psnr, latency = np.array([20.0, 15.0, 22.0, 21.0]), np.array([10.0, 1.0, 100.0, 1000.0])
    volumes = hypervolumes(psnr, latency, Reference(18.0, 100.0))
    assert volumes == pytest.approx([2.0, 2.0, 2.0, 2.0])
    volumes = hypervolumes(psnr, latency, Reference(18.0, 1000.0))
    assert volumes == pytest.approx([4.0, 4.0, 6.0, 6.0])
    assert trainings_to(5.0, volumes) == 3
    assert trainings_to(7.0, volumes) == np.inf


def test_shipped_trajectories_are_those_of_all_searches_from_one_beginning() -> None:
    from samplers.searches import ABLATIONS, CONTESTANTS
    from samplers.trajectories import TRAJECTORIES

    trajectories = pd.read_parquet(TRAJECTORIES)
    assert set(trajectories["search"]) == set(CONTESTANTS) | set(ABLATIONS)
    first = trajectories[trajectories["trial"] == 0]
    assert first["design"].nunique() == 1
    assert (first.groupby("seed")["psnr"].nunique() == 1).all()  # the same noise for all
    # What a design is without noise doesn't depend on who trained it.
    assert (trajectories.groupby("design")[["quality", "latency_ms"]].nunique() == 1).all(axis=None)
    for (name, _), run in trajectories.groupby(["search", "seed"]):
        assert run["trial"].tolist() == list(range((CONTESTANTS | ABLATIONS)[name].budget))
