"""Our own sampler with one part of it taken away at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from nas.costs.tables.space_costs import Costs
from nas.objectives import Objective
from nas.sampling.features import GROUPS
from nas.sampling.pool import Candidates, Pool, Pricer
from nas.sampling.proposal import Proposer
from nas.sampling.sampler import CostAwareSampler
from samplers.cost_aware import CostAwareSearch
from samplers.problem import Problem
from search_space import SearchSpace

_INSTEAD = 500  # random designs in place of about as many neighbours


class _NewOnly(Proposer):
    def _repeat(self, *_: Any) -> None:
        return None


class WithoutRepeats(CostAwareSampler):
    """Trains no design a second time."""

    @cached_property
    def _proposer(self) -> Proposer:
        return _NewOnly(self._candidates, self.objectives, self._constraints, self._prior)


class WithoutSpread(CostAwareSampler):
    """Asks its model after the first design at once."""

    def _spread(self) -> np.ndarray:
        return super()._spread()[:1]


class _Drawn(Candidates):
    def neighbours(self, designs: np.ndarray, tried: Collection[bytes] = ()) -> Pool:
        rng = np.random.default_rng((len(tried), len(designs)))
        pool = self.drawn(rng, tried)
        return pool[rng.permutation(len(pool))[:_INSTEAD]]


class _Blind(Candidates):
    def features(self, pool: Pool) -> np.ndarray:
        costs = self.scales.group == GROUPS.index("costs")
        return np.where(costs, 0.0, super().features(pool))


class _OtherCandidates(CostAwareSampler):
    kind: type[Candidates]

    def __init__(
        self, space: SearchSpace, costs: Pricer, objectives: Sequence[Objective], *others: Any
    ) -> None:
        super().__init__(space, costs, objectives, *others)
        self._candidates = self.kind(space, costs, objectives, self._constraints)


class WithoutSteps(_OtherCandidates):
    """Chooses among random designs alone, not among those near the front or near the best of them."""

    kind = _Drawn


class WithoutCostFeatures(_OtherCandidates):
    """Predicts quality from what designs are made of, not from what they cost."""

    kind = _Blind


class FlopsForLatency(CostAwareSampler):
    """Takes arithmetic for a measure of latency, as is often done, in place of the latency itself."""

    def __init__(self, space: SearchSpace, costs: Pricer, *others: Any) -> None:
        def by_flops(designs: np.ndarray) -> Costs:
            priced = costs(designs)
            return replace(priced, latency_ms=priced.flops / 1e9)

        super().__init__(space, by_flops, *others)


def ablated(kind: type[CostAwareSampler]) -> Callable[[Problem, int], CostAwareSearch]:
    """Begins searches with such a sampler."""
    return lambda problem, seed: CostAwareSearch(problem, seed, kind)
