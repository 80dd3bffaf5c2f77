"""What every search of the comparison is given: a space, exact costs, simulated trainings, a constraint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from surrogate.model import Pricer, Simulated, Surrogate, benchmark
from surrogate.rows import Rows, read, teachers

from nas.constraints import parse_constraints
from nas.costs.tables.space_costs import Costs
from nas.objectives import parse_objectives
from search_space import SearchSpace
from search_space.design_arrays import canonical, draw

OBJECTIVES = parse_objectives("psnr,latency_ms")
CONSTRAINTS = parse_constraints(("fits",))
_DRAWN = 2000  # random designs at a time


@dataclass(frozen=True)
class Trial:
    """A design, canonical positions [P], and the training that it was given."""

    design: np.ndarray
    training: Simulated


@dataclass(frozen=True)
class Problem:
    """A space, costs and trainings.

    Attributes:
        space: of the designs.
        costs: of designs [N, P], exact.
        surrogate: simulates trainings.
        prior: trainings that a search may know beforehand; none of them had a part in the surrogate.
    """

    space: SearchSpace
    costs: Pricer
    surrogate: Surrogate
    prior: Rows

    @property
    def first(self) -> np.ndarray:
        """The design that every search begins with: the published one."""
        return canonical(self.space, self.space.positions(self.space.first)[None])[0]

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, Costs]:
        """Random designs that meet the constraint [N, P], each once, in no order; and their costs."""
        designs = rng.permutation(np.unique(canonical(self.space, draw(self.space, rng, _DRAWN)), axis=0))
        costs = self.costs(designs)
        return designs[costs.fits], costs[costs.fits]


def problem() -> Problem:
    """The comparison's: `Rows.fitted` make the surrogate, later designs of the list the prior."""
    space, costs = benchmark()
    rows = read(space, teachers()[0])
    surrogate = Surrogate(space, costs.costs, rows[rows.fitted])
    return Problem(space, costs.costs, surrogate, rows[rows.held_out])
