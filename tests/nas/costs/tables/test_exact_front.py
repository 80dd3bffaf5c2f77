"""The front by dynamic programming is the front of all designs."""

from itertools import product

import moocore
import numpy as np
import pytest

from nas.costs.tables.chain import LINKS, Chain
from nas.costs.tables.front import Criterion, front
from nas.costs.tables.sums import Table, add_up
from search_space import SearchSpace


@pytest.fixture(scope="module")
def chain(tiny: SearchSpace) -> Chain:
    return Chain(tiny)


@pytest.fixture(scope="module")
def everything(tiny: SearchSpace) -> np.ndarray:
    return np.array(list(product(*(range(len(parameter.choices)) for parameter in tiny.asked))))


def random_tables(chain: Chain, seed: int, states: int = 3) -> list[Table]:
    """Costs of a made-up device, of which every link's depend on what stands before it."""
    rng = np.random.default_rng(seed)
    return [
        Table(
            sums=rng.lognormal(size=(rows, states, 2)),
            members=rng.lognormal(size=(rows, states, 4)).astype(np.float32),
            peaks=rng.lognormal(size=(rows, states)),
            after=rng.integers(states, size=(rows, states)).astype(np.int8),
        )
        for rows in (chain.options(link) for link in range(LINKS))
    ]


def test_options_and_designs_go_into_one_another(chain: Chain, everything: np.ndarray) -> None:
    rows = np.stack(chain.rows(everything), axis=1)
    assert (np.stack(chain.rows(chain.designs(rows)), axis=1) == rows).all()


@pytest.mark.parametrize(
    "criteria",
    [
        (Criterion(0, maximised=True), Criterion(1)),
        (Criterion(0), Criterion(1)),
        (Criterion(0, maximised=True), Criterion(None)),
        (Criterion(0, maximised=True), Criterion(1), Criterion(None)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_beats_the_front_and_nothing_is_missing(
    chain: Chain, everything: np.ndarray, criteria: tuple[Criterion, ...], seed: int
) -> None:
    tables = random_tables(chain, seed)

    def costs(rows: list[np.ndarray]) -> np.ndarray:
        added = add_up(tables, rows)
        columns = [added.peaks if c.column is None else added.sums[:, c.column] for c in criteria]
        return np.stack([-v if c.maximised else v for c, v in zip(criteria, columns, strict=True)], axis=1)

    all_costs = costs(chain.rows(everything))
    expected = np.unique(all_costs[moocore.is_nondominated(all_costs)], axis=0)
    found = costs(list(front(chain, tables, criteria, range(len(chain.variants))).T))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
