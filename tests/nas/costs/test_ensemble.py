import numpy as np
import pytest

from nas.costs import load_device
from nas.costs.ensemble import MEMBERS, draws, grouped, interval_factor, sampled
from nas.costs.hardware import hardware

PROFILE = load_device("iphone-16-pro")


def test_the_first_set_is_the_profiles_own():
    own, many = hardware(PROFILE).units["rank5"], sampled(PROFILE).units["rank5"]
    assert many.memory[0] == own.memory
    assert many.rates["convolution3d"].flop_s[0] == own.rates["convolution3d"].flop_s


def test_draws_agree_between_runs_and_follow_the_spread():
    path = "units.neural_engine.rates.transposed_convolution.tflop_s"
    factors = draws(PROFILE, 4000)[path]
    assert np.array_equal(factors, draws(PROFILE, 4000)[path])
    assert np.exp(np.log(factors).std()) == pytest.approx(PROFILE.figures[path].spread, rel=0.03)


def test_an_ensemble_replaces_the_draws_of_the_groups():
    columns = [group.name for group in PROFILE.fit]
    place = columns.index("rank5 convolution rate")
    rows = [
        [value if column == place else 1.0 for column in range(len(columns))] for value in (1.0, 2.0, 3.0)
    ]
    data = {**PROFILE.model_dump(), "ensemble": {"columns": columns, "rows": rows}}
    calibrated = type(PROFILE).model_validate(data)
    rate = sampled(calibrated).units["rank5"].rates["convolution3d"].flop_s
    assert rate / rate[0] == pytest.approx([1, 1, 2, 3])


def test_a_group_multiplies_each_of_its_figures():
    factors = grouped(PROFILE, {group.name: np.array([2.0]) for group in PROFILE.fit})
    assert factors["units.rank5.memory_gb_s"] == 2
    assert "units.neural_engine.memory_gb_s" not in factors


def test_the_interval_holds_ensemble_and_residual():
    none, ensemble, both = (
        interval_factor(np.exp(np.array([0.0, *log_members])), residual)
        for log_members, residual in (([0.0, 0.0], 1.2), ([0.2, -0.2], 1.0), ([0.2, -0.2], 1.2))
    )
    assert np.log(none) == pytest.approx(1.645 * np.log(1.2))
    assert np.log(ensemble) == pytest.approx(1.645 * 0.2)
    assert np.log(both) == pytest.approx(np.hypot(np.log(none), np.log(ensemble)))


def test_every_member_is_an_array_of_the_same_length():
    assert sampled(PROFILE).switch.shape == (1 + MEMBERS,)
