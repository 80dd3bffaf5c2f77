"""Expected gains of hypervolume in closed form are those of drawing many results."""

import moocore
import numpy as np
import pytest

from nas.sampling.improvement import boxes, expected_improvement


@pytest.mark.parametrize(("predicted", "known"), [(1, 1), (1, 2), (2, 1)])
def test_the_expected_gain_is_the_mean_of_drawn_gains(predicted: int, known: int) -> None:
    rng = np.random.default_rng(0)
    front, reference = rng.uniform(size=(6, predicted + known)), np.full(predicted + known, 0.1)
    costs, mean = rng.uniform(0.2, 1, size=(4, known)), rng.uniform(0.2, 1, size=(4, predicted))
    deviation = np.full_like(mean, 0.3)
    expected = expected_improvement(costs, mean, deviation, *boxes(front, reference))
    before = moocore.hypervolume(-front, ref=-reference)
    for row in range(4):
        results = rng.normal(mean[row], deviation[row], size=(3000, predicted))
        gains = [
            moocore.hypervolume(-np.vstack([front, np.append(result, costs[row])]), ref=-reference) - before
            for result in results
        ]
        error = np.std(gains) / np.sqrt(len(gains))
        assert expected[row] == pytest.approx(np.mean(gains), abs=4 * error)


def test_a_sure_result_gains_its_hypervolume() -> None:
    front, reference = np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2)
    costs, mean = np.array([[1.5], [0.5], [3.0]]), np.array([[1.5], [1.0], [0.0]])
    gains = expected_improvement(costs, mean, np.full_like(mean, 1e-9), *boxes(front, reference))
    assert gains == pytest.approx([0.25, 0, 0], abs=1e-6)


def test_a_front_without_points_leaves_everything_above_the_reference() -> None:
    lower, upper = boxes(np.zeros((0, 2)), np.array([1.0, 2.0]))
    gain = expected_improvement(np.array([[4.0]]), np.array([[3.0]]), np.array([[1e-9]]), lower, upper)
    assert gain == pytest.approx([4.0])
