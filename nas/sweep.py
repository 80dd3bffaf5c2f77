"""`nas sweep`: static costs of very many designs of a space, and the front of
all of them. Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nas.costs.tables.filling import FLOPS, LATENCY
from nas.costs.tables.front import Criterion, front, nondominated
from nas.costs.tables.space_costs import Costs, SpaceCosts
from search_space import SearchSpace, design, design_name, designs
from search_space.conditions import Condition
from search_space.design_arrays import canonical, draw
from search_space.errors import UserError

_CHUNK = 50_000  # designs between two reports of progress
_CRITERIA = (Criterion(FLOPS, maximised=True), Criterion(LATENCY))  # what the front goes by

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Priced:
    """Designs [N, P], as `search_space.design_arrays` has them, and their costs, arrays [N]."""

    designs: np.ndarray
    costs: Costs

    def __getitem__(self, some: np.ndarray) -> Priced:
        return Priced(self.designs[some], self.costs[some])

    def meeting(self, constraints: Sequence[Condition]) -> np.ndarray:
        """Which of them meet every constraint, [N]."""
        holds = [constraint.holds_for(vars(self.costs)) for constraint in constraints]
        return np.logical_and.reduce([np.ones(len(self.designs), dtype=bool), *holds])


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        drawn: different random designs, as a search draws them.
        named: the designs of the catalogue that the space holds, by their titles in `titles`.
        front: of the whole space (`exact_front`).
    """

    drawn: Priced
    named: Priced
    titles: tuple[str, ...]
    front: Priced


def sweep(
    space: SearchSpace,
    costs: SpaceCosts,
    samples: int,
    seed: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> Sweep:
    """Prices `samples` random designs of a space and finds its exact front.

    Args:
        space: what is swept.
        costs: its tables.
        samples: designs to draw; those drawn twice count once.
        seed: of the designs drawn.
        progress: hears what is done, and how much of it.

    Raises:
        UserError: not a number of samples.
    """
    if samples < 1:
        raise UserError(f"samples {samples}: a number of designs, at least 1")
    designs_drawn = np.unique(canonical(space, draw(space, np.random.default_rng(seed), samples)), axis=0)
    chunks = []
    for begin in range(0, len(designs_drawn), _CHUNK):
        progress("designs", begin, len(designs_drawn))
        chunks.append(costs.costs(designs_drawn[begin : begin + _CHUNK]))
    progress("designs", len(designs_drawn), len(designs_drawn))
    drawn = Priced(designs_drawn, Costs.joined(chunks))
    positions, titles = _named(space)
    found = exact_front(costs, lambda done, total: progress("front", done, total))
    return Sweep(drawn, Priced(positions, costs.costs(positions)), titles, found)


def is_exact(constraints: Sequence[Condition]) -> bool:
    """Whether the designs of `exact_front` that meet `constraints` are the front of all that do.

    They are under bounds on time from above and on arithmetic from below.
    """
    kept = {"latency_ms": "<", "fps": ">", "flops": ">"}
    return all(one.operator is not None and one.operator[0] == kept.get(one.name) for one in constraints)


def _named(space: SearchSpace) -> tuple[np.ndarray, tuple[str, ...]]:
    """The designs of the catalogue that are in the space, and their titles."""
    found: dict[str, np.ndarray] = {}
    for name in designs():
        try:
            positions = space.positions(design(name))
        except UserError:
            continue  # another space's
        found.setdefault(str(design_name(design(name))), positions)
    rows = np.array(list(found.values()), dtype=np.int64).reshape(len(found), len(space.asked))
    return rows, tuple(found)


def exact_front(costs: SpaceCosts, progress: Callable[[int, int], None] = lambda done, total: None) -> Priced:
    """The designs of the whole space that do the most arithmetic in their time, fastest first.

    Every design is considered in every way to decode it but in tiles, and stands with the costs of that way:
    they are among the `modes` of `nas.costs.estimate` for that lowering. Those of the front that meet bounds
    on time from above and on arithmetic from below are the front of all designs that meet them (`is_exact`);
    under other bounds a design may be missing that only designs beyond them beat.

    Args:
        costs: the tables of the space.
        progress: hears how many steps are done.
    """
    ways = costs.untiled()
    candidates = []
    for index, way in enumerate(ways):
        steps = lambda done, total, index=index: progress(index * total + done, len(ways) * total)  # noqa: E731
        rows = front(costs.chain, costs.tables(way), _CRITERIA, costs.variants(way), progress=steps)
        designs = costs.chain.designs(rows)
        candidates.append(Priced(designs, costs.costs(designs, way)))
    everything = Priced(
        np.concatenate([candidate.designs for candidate in candidates]),
        Costs.joined([candidate.costs for candidate in candidates]),
    )
    points = np.column_stack([everything.costs.latency_ms, -everything.costs.flops])
    best = np.flatnonzero(nondominated(points))
    return everything[best[np.argsort(points[best, 0])]]
