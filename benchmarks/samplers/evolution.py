"""Archai's evolutionary Pareto search, re-expressed for this space.

After `archai/discrete_search/algos/evolution_pareto.py` of https://github.com/microsoft/archai: generations
of a mutation of each design of the front, crossovers of random pairs of it, and random designs, with that
file's default sizes. Archai leaves mutations and crossovers to the space: here they are a random step to a
neighbour, and a design that has each parameter of either parent.
"""

from __future__ import annotations

import numpy as np

from nas.costs.tables.front import nondominated
from samplers.problem import Problem, Trial
from samplers.random_draws import untried
from search_space.design_arrays import canonical

_INITIAL = 10  # random designs, the first one included
_RANDOM, _CROSSOVERS = 5, 5  # of a generation, beside a mutation of each design of the front


class Evolution:
    """Proposes the designs of a generation one by one, and makes the next from the front then."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self._problem = problem
        self._rng = np.random.default_rng(seed)
        self._trials: list[Trial] = []
        self._tried: set[bytes] = set()
        self._waiting = list(problem.drawn(self._rng)[0][: _INITIAL - 1])

    def propose(self) -> np.ndarray:
        while not self._waiting:
            self._waiting = self._generation()
        return self._waiting.pop()

    def learn(self, trial: Trial) -> None:
        self._trials.append(trial)
        self._tried.add(trial.design.tobytes())

    def _generation(self) -> list[np.ndarray]:
        parents = self._front()
        made = [self._mutated(parent) for parent in parents]
        if len(parents) > 1:
            made += [self._crossed(parents) for _ in range(_CROSSOVERS)]
        made += list(self._problem.drawn(self._rng)[0][:_RANDOM])
        made = canonical(self._problem.space, self._rng.permutation(np.array(made)))
        meeting = made[self._problem.costs(made).fits]
        return list({one.tobytes(): one for one in untried(meeting, self._tried)}.values())

    def _front(self) -> np.ndarray:
        points = np.array([(-trial.training.psnr, trial.training.latency_ms) for trial in self._trials])
        return np.array([trial.design for trial in self._trials])[nondominated(points)]

    def _mutated(self, parent: np.ndarray) -> np.ndarray:
        space = self._problem.space
        around = space.neighbours(space.at(parent))
        return space.positions(around[self._rng.integers(len(around))])

    def _crossed(self, parents: np.ndarray) -> np.ndarray:
        one, other = parents[self._rng.choice(len(parents), 2, replace=False)]
        return np.where(self._rng.integers(2, size=len(one)), one, other)
