"""What a training is worth."""

import numpy as np
import pytest

from nas.sampling.acquisition import Acquisition
from nas.sampling.pool import Pool
from nas.sampling.quality_model import QualityModel

REFERENCE = np.array([17.0, -9.0])


def pool(latency: list[float]) -> Pool:
    """Made-up designs, told apart by nothing but their logarithm of latency."""
    log_latency = np.array(latency)[:, np.newaxis]
    return Pool(np.arange(len(latency))[:, np.newaxis], -log_latency, np.repeat(log_latency, 4, axis=1))


def features(designs: Pool) -> np.ndarray:
    return designs.log_costs[:, :1]


@pytest.fixture(scope="module")
def acquisition() -> Acquisition:
    """A fast design trained six times, one nearly as fast trained once, and a slow, far better one."""
    trained = [3.0] * 6 + [3.2] + [8.0]
    reached = np.array([20.0, 20.4, 19.6, 20.2, 19.8, 20.0, 20.1, 24.0])
    model = QualityModel(features(pool(trained)), np.array([0]), reached)
    return Acquisition([model], features, pool([3.0, 3.2, 8.0]), REFERENCE)


def test_a_repeat_is_worth_most_where_it_may_change_the_front(acquisition: Acquisition) -> None:
    often, once, alone = acquisition.of_repeats()
    assert once > often > 0
    assert once > 2 * alone >= 0


def test_a_new_design_is_worth_nothing_beyond_the_reference(acquisition: Acquisition) -> None:
    between, beyond = acquisition.of_new(pool([5.0, 9.5]))
    assert between > 0
    assert beyond == 0


def test_the_front_is_of_what_is_expected(acquisition: Acquisition) -> None:
    assert acquisition.front.tolist()[0]
    assert acquisition.front.tolist()[2]
