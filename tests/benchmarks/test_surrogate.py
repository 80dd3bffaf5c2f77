"""Trainings simulated by a model of real ones."""

import numpy as np
import pytest

from nas.costs.tables.space_costs import SpaceCosts
from search_space import SearchSpace
from search_space.design_arrays import canonical, draw

pytestmark = pytest.mark.usefixtures("benchmarks")


@pytest.fixture(scope="module")
def rows(small_space: SearchSpace, small_costs: SpaceCosts):
    """Sixty designs, trained three times each: quality rises with arithmetic, its noise falls with it."""
    from surrogate.rows import Rows

    rng = np.random.default_rng(0)
    designs = np.unique(canonical(small_space, draw(small_space, rng, 400)), axis=0)[:60]
    designs = np.repeat(designs, 3, axis=0)
    flops = small_costs.costs(designs).flops
    quality = 4 * np.log10(flops / flops.min())
    psnr = quality + np.exp(-1 - 0.3 * quality) * rng.standard_normal(len(designs))
    return Rows(
        designs=designs,
        hash=np.repeat(np.arange(60), 3).astype(str),
        psnr=psnr,
        halfway=psnr - 1,
        seconds=flops / 1e6,
        origin=np.full(len(designs), "stratum"),
        rank=np.repeat(np.arange(60), 3),
    )


@pytest.fixture(scope="module")
def surrogate(small_space: SearchSpace, small_costs: SpaceCosts, rows):
    from surrogate.model import Surrogate

    return Surrogate(small_space, small_costs.costs, rows)


def test_quality_is_that_of_the_trainings_without_their_noise(rows, surrogate) -> None:
    means = rows.psnr.reshape(-1, 3).mean(axis=1)
    predicted = surrogate.quality(rows.designs[::3])
    assert np.corrcoef(means, predicted)[0, 1] > 0.95


def test_noise_is_as_uneven_as_that_of_repeated_trainings(surrogate) -> None:
    assert surrogate.noise.slope == pytest.approx(-0.3, abs=0.15)
    assert surrogate.noise.deviation(0.0) == pytest.approx(np.exp(-1), rel=0.3)
    assert surrogate.noise.p_value < 0.01


def test_a_training_is_the_same_for_the_same_design_and_seed(rows, surrogate) -> None:
    once, again, other = (surrogate.train(rows.designs[0], seed) for seed in (0, 0, 1))
    assert once == again
    assert once.psnr != other.psnr
    assert once.quality == other.quality == surrogate.quality(rows.designs[:1])[0]
    assert once.curve[-1] == (80, once.psnr)


def test_the_table_makes_rows_and_keeps_some_from_the_comparison() -> None:
    from surrogate.rows import FITTED, read, teachers

    rows = read(SearchSpace.preset("wan"), teachers()[0])
    assert not (rows.fitted & rows.held_out).any()
    assert len(set(rows.hash[rows.fitted & (rows.rank >= 0)])) == FITTED
    assert not set(rows.hash[rows.fitted]) & set(rows.hash[rows.held_out])
