"""The searches that are compared: each a way to propose a design from the trainings so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samplers.ablations import (
    FlopsForLatency,
    WithoutCostFeatures,
    WithoutRepeats,
    WithoutSpread,
    WithoutSteps,
    ablated,
)
from samplers.black_box import BlackBox
from samplers.cost_aware import CostAwareSearch, with_prior
from samplers.evolution import Evolution
from samplers.optuna_searches import filtered_nsga2, gaussian_process, nsga2, tpe
from samplers.problem import Problem, Trial
from samplers.random_draws import AtRandom, Stratified


class Search(Protocol):
    """Proposes designs."""

    def propose(self) -> np.ndarray:
        """The design [P] to train next."""

    def learn(self, trial: Trial) -> None:
        """Hears of a training, of a proposed design or of the first one, which all searches begin with."""


@dataclass(frozen=True)
class Contestant:
    """How to begin a search with a seed, and how many trainings it is given."""

    begin: Callable[[Problem, int], Search]
    budget: int


def trials(search: Search, problem: Problem, budget: int, seed: int) -> Iterator[Trial]:
    """Runs a search: the published design, then what it proposes.

    A design's training by one seed of the search is the same in all searches; if it is trained again, it is
    by another seed.
    """
    trained: dict[bytes, int] = {}
    for number in range(budget):
        design = search.propose() if number else problem.first
        times = trained.setdefault(design.tobytes(), 0)
        trained[design.tobytes()] += 1
        trial = Trial(design, problem.surrogate.train(design, seed + 1000 * times))
        search.learn(trial)
        yield trial


OURS = ("ours", "ours, with a prior")
RANDOM = "random"
BUDGET = 50  # trainings that all searches have
_LONG = 200  # that those have which take no time themselves

CONTESTANTS: dict[str, Contestant] = {
    "ours": Contestant(CostAwareSearch, BUDGET),
    "ours, with a prior": Contestant(with_prior, BUDGET),
    "random": Contestant(AtRandom, _LONG),
    "random, stratified": Contestant(Stratified, _LONG),
    "TPE": Contestant(tpe, _LONG),
    "NSGA-II": Contestant(nsga2, _LONG),
    "NSGA-II, filtered by costs": Contestant(filtered_nsga2, _LONG),
    "evolution as in Archai": Contestant(Evolution, _LONG),
    "GP, Optuna": Contestant(gaussian_process, BUDGET),
    "qLogNEHVI, BoTorch": Contestant(BlackBox, BUDGET),
}
ABLATIONS: dict[str, Contestant] = {
    "ours, never training a design again": Contestant(ablated(WithoutRepeats), BUDGET),
    "ours, among random designs only": Contestant(ablated(WithoutSteps), BUDGET),
    "ours, quality not told by costs": Contestant(ablated(WithoutCostFeatures), BUDGET),
    "ours, FLOPs in place of latency": Contestant(ablated(FlopsForLatency), BUDGET),
    "ours, first designs not spread": Contestant(ablated(WithoutSpread), BUDGET),
}
