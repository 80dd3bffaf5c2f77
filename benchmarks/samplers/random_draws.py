"""Random search, and random search spread evenly over log latency."""

from __future__ import annotations

import numpy as np

from samplers.problem import Problem, Trial

_STRATA = 8


class AtRandom:
    """Designs at random, each once."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self._problem = problem
        self._rng = np.random.default_rng(seed)
        self._tried: set[bytes] = set()
        self._waiting = np.empty((0, 0))

    def propose(self) -> np.ndarray:
        while True:
            if not len(self._waiting):
                self._waiting = self._problem.drawn(self._rng)[0]
            design, self._waiting = self._waiting[0], self._waiting[1:]
            if design.tobytes() not in self._tried:
                return design

    def learn(self, trial: Trial) -> None:
        self._tried.add(trial.design.tobytes())


class Stratified(AtRandom):
    """One random design from each of eight equal strata of log latency in turn, in a new order each round."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        latency = np.log(problem.drawn(self._rng)[1].latency_ms)
        self._edges = np.linspace(latency.min(), latency.max(), _STRATA + 1)[1:-1]
        self._strata: list[list[np.ndarray]] = [[] for _ in range(_STRATA)]
        self._round: list[int] = []

    def propose(self) -> np.ndarray:
        self._round = self._round or self._rng.permutation(_STRATA).tolist()
        stratum = self._strata[self._round.pop()]
        while True:
            while not stratum:
                designs, costs = self._problem.drawn(self._rng)
                within = np.digitize(np.log(costs.latency_ms), self._edges)
                for design, one in zip(designs, within, strict=True):
                    self._strata[one].append(design)
            design = stratum.pop()
            if design.tobytes() not in self._tried:
                return design


def untried(designs: np.ndarray, tried: set[bytes]) -> np.ndarray:
    """Those of the designs [N, P] that aren't among `tried`, in their order."""
    return designs[[design.tobytes() not in tried for design in designs]]
