"""What repeats say of the front, against textbook figures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from study_writer import confirmation, trained

from analysis import designs, load_study, not_told_apart, pareto_front, seed_spread

Run = Callable[..., Path]

# Repeats of variance 2 with one degree of freedom, and of variance 1 with two: 4 / 3 pooled.
REPEATED = [
    trained(30.0, 100.0, hash="a"),
    trained(32.0, 100.0, hash="a"),
    trained(33.0, 200.0, hash="b"),
    trained(34.0, 200.0, hash="b"),
    trained(35.0, 200.0, hash="b"),
    trained(45.0, 400.0, hash="c"),
]


def test_the_variance_is_pooled_over_designs(run: Run) -> None:
    spread = seed_spread(load_study(run(REPEATED)))
    assert spread is not None
    assert (spread.deviation, spread.degrees, spread.designs) == (pytest.approx((4 / 3) ** 0.5), 3, 2)
    # Tables of Student's t and of chi-squared at 3 degrees: 3.182; 9.348 and 0.216.
    assert spread.margin(np.array(2), np.array(3)) == pytest.approx(
        3.182 * (4 / 3 * (1 / 2 + 1 / 3)) ** 0.5, 1e-3
    )
    assert spread.interval == pytest.approx(((4 / 9.348) ** 0.5, (4 / 0.2158) ** 0.5), rel=1e-3)


def test_designs_within_the_margin_are_not_told_apart(run: Run) -> None:
    study = load_study(run(REPEATED))
    front = pareto_front(study)  # a, b and c, of 31, 34 and 45 dB; seeds make 3.4 dB between a and b
    assert list(not_told_apart(front, seed_spread(study))) == [[2], [0], []]


def test_without_repeats_nothing_is_claimed(run: Run) -> None:
    study = load_study(run([trained(30.0, 100.0), trained(30.1, 200.0)]))
    assert seed_spread(study) is None
    assert list(not_told_apart(pareto_front(study), None)) == [[], []]


def test_confirmed_designs_go_by_their_own_spread(run: Run) -> None:
    study = load_study(
        run(
            REPEATED,
            attributes={"confirmed:0": confirmation(33.0, 33.2), "confirmed:5": confirmation(46.0, 46.0)},
        )
    )
    spread = seed_spread(study, "psnr")
    assert spread is not None
    assert (spread.deviation, spread.degrees) == (pytest.approx(0.1), 2)
    in_ssim = seed_spread(study, "ssim")
    assert in_ssim is not None
    assert in_ssim.deviation == pytest.approx(0.001)
    assert seed_spread(study, "latency_ms") is None
    of_the_search = seed_spread(designs(study))
    assert of_the_search is not None
    assert of_the_search.degrees == 3
