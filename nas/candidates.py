"""Which design a search tries next, as far as static costs can tell before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import optuna

from nas.constraints import why_none_meets, why_refused
from nas.pricing import Costs, Pricer
from search_space import DecoderConfig, SearchSpace
from search_space.conditions import Condition
from search_space.errors import UserError

_STRATA = 8  # start-up designs, one a stratum of latency
_POOL = 128  # random designs that they are drawn from
_MOST_DRAWN = 2000  # random designs priced before constraints are called impossible
_MOST_REPEATED = 5000  # random designs in a row, all known, before a space is called exhausted


def sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Optuna's tree-structured Parzen estimator over all parameters jointly, for several objectives."""
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=0)


def start_up(
    space: SearchSpace, price: Pricer, constraints: Sequence[Condition], rng: np.random.Generator
) -> list[DecoderConfig]:
    """The designs a search begins with: the published one, then random ones spread evenly over log latency.

    The random ones come one from each of eight equal strata of log latency, fastest to slowest.

    Args:
        space: what can be built.
        price: static costs of a design.
        constraints: that the random designs meet; the published one may break them and is then refused.
        rng: draws the designs.

    Raises:
        UserError: no design drawn meets the constraints; says the best value found.
    """
    priced: list[Costs] = []
    meeting: list[tuple[float, DecoderConfig]] = []
    while len(priced) < _POOL or (not meeting and len(priced) < _MOST_DRAWN):
        config = space.sample(rng)
        priced.append(price(config))
        if why_refused(constraints, priced[-1]) is None:
            meeting.append((math.log(priced[-1]["latency_ms"]), config))
    if not meeting:
        raise UserError(why_none_meets(constraints, priced))
    latencies = np.array([latency for latency, _ in meeting])
    edges = np.linspace(latencies.min(), latencies.max(), _STRATA + 1)[1:-1]
    strata = np.digitize(latencies, edges)
    chosen = [meeting[int(rng.choice(np.flatnonzero(strata == stratum)))][1] for stratum in np.unique(strata)]
    order = rng.permutation(len(chosen))
    return [space.first, *(chosen[i] for i in order)]


def unseen(
    space: SearchSpace,
    price: Pricer,
    constraints: Sequence[Condition],
    known: Collection[str],
    rng: np.random.Generator,
) -> DecoderConfig | None:
    """A random design never tried before that meets the constraints; None where the space seems exhausted."""
    for _ in range(_MOST_REPEATED):
        config = space.sample(rng)
        if config.hash not in known and why_refused(constraints, price(config)) is None:
            return config
    return None
