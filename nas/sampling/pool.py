"""Candidates: designs of a space that meet the constraints, with their exact costs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from nas.constraints import why_none_meets
from nas.costs.tables.space_costs import Costs
from nas.objectives import QUALITY, Objective
from nas.sampling.encoding import encode_designs
from nas.sampling.features import Features
from search_space import SearchSpace
from search_space.conditions import Condition
from search_space.design_arrays import canonical, draw
from search_space.errors import UserError

Pricer = Callable[[np.ndarray], Costs]
"""Costs of designs [N, P], as `nas.costs.tables.space_costs.SpaceCosts.costs` gives them."""

_DRAWN = 4000  # designs that a pool begins with
_MOST_DRAWN = 100_000  # before constraints are called impossible


@dataclass(frozen=True)
class Pool:
    """Different designs [N, P] (canonical), all of which meet the constraints.

    Attributes:
        designs: int64 [N, P], as `design_arrays.canonical` gives them.
        known: values of the objectives that are costs [N, C], in the order of the objectives: logarithms,
            with the sign that makes more the better.
        log_costs: logarithms of FLOPs, latency, parameters and memory [N, 4], for models of quality.
    """

    designs: np.ndarray
    known: np.ndarray
    log_costs: np.ndarray

    @property
    def log_latency(self) -> np.ndarray:
        """[N]."""
        return self.log_costs[:, 1]

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, some: np.ndarray) -> Pool:
        return Pool(self.designs[some], self.known[some], self.log_costs[some])

    def __add__(self, other: Pool) -> Pool:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Pool(*(np.concatenate(pair) for pair in pairs))


class Candidates:
    """Draws, prices and sieves designs of a space.

    Attributes:
        space: the space.
        first: its first design alone, whether or not it meets the constraints.
        scales: make features of designs of this space, and of others.
    """

    def __init__(
        self,
        space: SearchSpace,
        costs: Pricer,
        objectives: Sequence[Objective],
        constraints: Sequence[Condition],
    ) -> None:
        self.space = space
        self._costs = costs
        self._known = [objective for objective in objectives if objective.name not in QUALITY]
        self._constraints = tuple(constraints)
        self._everything = None
        choices = [len(parameter.choices) for parameter in space.asked]
        if prod(choices) <= _DRAWN:
            self._everything = np.array(list(product(*map(range, choices))))
        self.first = self.priced(space.positions(space.first)[np.newaxis])
        drawn = self.priced(draw(space, np.random.default_rng(0), _DRAWN))  # the same for every search
        self.scales = Features(encode_designs(space, drawn.designs), drawn.log_costs)

    def priced(self, designs: np.ndarray) -> Pool:
        """All these designs [N, P], whether or not they meet the constraints."""
        return self._priced(canonical(self.space, designs))[0]

    def features(self, pool: Pool) -> np.ndarray:
        """What models of quality see of the designs of a pool, [N, F]."""
        return self.scales(encode_designs(self.space, pool.designs), pool.log_costs)

    def meeting(self, designs: np.ndarray, tried: Collection[bytes] = ()) -> Pool:
        """Those of the designs [N, P] that meet the constraints and aren't `tried` (by `key`), each once."""
        designs = np.unique(canonical(self.space, designs), axis=0)
        fresh = np.array([key(design) not in tried for design in designs], dtype=bool)
        pool, meets = self._priced(designs[fresh])
        return pool[meets]

    def drawn(self, rng: np.random.Generator, tried: Collection[bytes] = ()) -> Pool:
        """Random designs that meet the constraints, or all there are in a small space.

        More are drawn where hardly any meets them; empty where none does.
        """
        if self._everything is not None:
            return self.meeting(self._everything, tried)
        count = _DRAWN
        pool = self.meeting(draw(self.space, rng, count), tried)
        while not len(pool) and count < _MOST_DRAWN:
            pool = self.meeting(draw(self.space, rng, count), tried)
            count *= 2
        return pool

    def neighbours(self, designs: np.ndarray, tried: Collection[bytes] = ()) -> Pool:
        """Designs that differ from one of those [N, P] in one parameter, by one step where it is ordered."""
        return self.meeting(np.concatenate([designs, *self._moved(designs)]), tried)

    def why_none(self, rng: np.random.Generator) -> UserError:
        """What to say where no design meets the constraints."""
        columns = _columns(self._costs(draw(self.space, rng, _DRAWN)))
        rows = [{one.name: columns[one.name][row] for one in self._constraints} for row in range(_DRAWN)]
        return UserError(why_none_meets(self._constraints, rows))

    def _priced(self, designs: np.ndarray) -> tuple[Pool, np.ndarray]:
        """The designs, which are canonical, and which of them meet the constraints."""
        costs = self._costs(designs)
        columns = _columns(costs)
        known = [
            np.log(columns[one.name]) * (1 if one.direction == "maximize" else -1) for one in self._known
        ]
        log_costs = np.log([costs.flops, costs.latency_ms, costs.params, costs.peak_memory_bytes]).T
        pool = Pool(designs, np.reshape(known, (len(known), len(designs))).T, log_costs)
        holds = [condition.holds_for(columns) for condition in self._constraints]
        return pool, np.logical_and.reduce([np.ones(len(designs), dtype=bool), *holds])

    def _moved(self, designs: np.ndarray) -> Iterator[np.ndarray]:
        for column, parameter in enumerate(self.space.asked):
            count = len(parameter.choices)
            for step in (-1, 1) if parameter.ordered else range(1, count):
                moved = designs.copy()
                moved[:, column] += step
                if parameter.ordered:
                    moved = moved[(moved[:, column] >= 0) & (moved[:, column] < count)]
                else:
                    moved[:, column] %= count
                yield moved


def key(design: np.ndarray) -> bytes:
    """Names a design [P] among canonical ones."""
    return design.tobytes()


def _columns(costs: Costs) -> dict[str, np.ndarray]:
    """Costs by name, with the pessimistic speed that belongs to the upper bound of the latency."""
    return vars(costs) | {"fps_low": costs.fps * costs.latency_ms / costs.latency_high_ms}
