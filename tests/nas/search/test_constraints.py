"""Constraints on static costs, and objectives."""

import pytest

from nas.constraints import parse_constraints, why_none_meets, why_refused
from nas.objectives import parse_objectives
from search_space.errors import UserError

COSTS = {"params": 50_000_000, "fps": 30.0, "latency_ms": 40.0, "fits": False}


def test_says_what_is_broken() -> None:
    assert why_refused(parse_constraints(["fps>=24", "params<=60M"]), COSTS) is None
    refused = why_refused(parse_constraints(["params<=45M", "fps>=24", "fits"]), COSTS)
    assert refused == "params is 5e+07, not <= 4.5e+07; not fits"


def test_refuses_quality_which_is_not_known_yet() -> None:
    with pytest.raises(UserError, match="psnr is known only after training"):
        parse_constraints(["psnr>=30"])


def test_refuses_a_cost_without_a_bound() -> None:
    with pytest.raises(UserError, match="constraint 'params': expected a bound"):
        parse_constraints(["fits", "params"])


def test_gives_the_best_value_found() -> None:
    conditions = parse_constraints(["fps>=60", "params<=1M", "fits", "latency_ms<=45"])
    said = why_none_meets(conditions, [COSTS, COSTS | {"fps": 45.5, "params": 2_000_000}])
    assert said == (
        "no design of 2 tried meets the constraints: 'fps >= 60': the best has 45.5; 'params <= 1000000': the"
        " best has 2e+06; 'fits' by none; 'latency_ms <= 45' can be met alone"
    )


def test_objectives_have_directions() -> None:
    parsed = [(objective.name, objective.direction) for objective in parse_objectives("psnr, latency_ms,fps")]
    assert parsed == [("psnr", "maximize"), ("latency_ms", "minimize"), ("fps", "maximize")]


@pytest.mark.parametrize("text", ["", "psnr,psnr", "latency_ms,params", "psnr,latency"])
def test_refuses_objectives(text: str) -> None:
    with pytest.raises(UserError):
        parse_objectives(text)


def test_at_the_bound_latency_and_speed_stand_for_their_pessimistic_ends() -> None:
    objectives = parse_objectives("psnr,fps,params", at_bound=True)
    assert [(one.name, one.direction) for one in objectives] == [
        ("psnr", "maximize"),
        ("fps_low", "maximize"),
        ("params", "minimize"),
    ]
    slow = COSTS | {"latency_high_ms": 80.0, "fps_low": 15.0}
    refused = why_refused(
        parse_constraints(["latency_ms<=50", "fps>=10", "params<=60M"], at_bound=True), slow
    )
    assert refused == "latency_high_ms is 80, not <= 50"
