"""Which trainings are stopped, on curves drawn so that how they go on is known."""

from typing import Any

import numpy as np
import pytest

from nas.objectives import parse_objectives
from nas.stopping import CHANCE, FINISHED, account, chance, forecast, thresholds

OBJECTIVES = parse_objectives("psnr,latency_ms")
RISE, NOISE = 3.0, 0.2  # dB from step 40 to step 80, and the deviation of that


def record(number: int, psnr: float, latency_ms: float, rise: float = RISE, **more: Any) -> dict[str, Any]:
    """A training that ended with a PSNR after a rise."""
    return {
        "hash": f"design-{number}",
        "costs": {"latency_ms": latency_ms, "fps": 17e3 / latency_ms, "params": 100.0 - latency_ms},
        "metrics": {"psnr": psnr, "ssim": psnr / 40},
        "curve": [[40, psnr - rise], [80, psnr]],
        **more,
    }


def trainings(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Trainings of 15 to 21 dB, the more so the slower they are."""
    rng = np.random.default_rng(seed)
    latencies = rng.uniform(10, 100, count)
    qualities = 15 + latencies / 20 + rng.normal(0, 0.5, count)
    return [
        record(number, psnr, latency, rng.normal(RISE, NOISE))
        for number, (psnr, latency) in enumerate(zip(qualities, latencies, strict=True))
    ]


def best(finished: list[dict[str, Any]]) -> float:
    return max(known["metrics"]["psnr"] for known in finished)


def test_asks_of_the_curve_what_reaches_the_best_that_costs_no_more() -> None:
    finished = trainings(20)
    asked = thresholds(finished, {"latency_ms": 100.0}, OBJECTIVES)
    assert list(asked) == [40]  # at the end there is nothing left to save
    assert best(finished) - RISE - 5 * NOISE < asked[40] < best(finished) - RISE
    assert chance(finished, {"latency_ms": 100.0}, OBJECTIVES, (40, asked[40])) == pytest.approx(CHANCE)
    assert chance(finished, {"latency_ms": 100.0}, OBJECTIVES, (40, asked[40] - 1)) < CHANCE / 2


def test_forecasts_the_end_from_a_point_of_the_curve() -> None:
    expected = forecast(trainings(20), OBJECTIVES, (40, 15.0))
    assert expected == {"psnr": pytest.approx(15 + RISE, abs=3 * NOISE)}
    assert forecast(trainings(FINISHED - 1), OBJECTIVES, (40, 15.0)) is None


def test_asks_less_of_what_costs_less_and_nothing_of_the_cheapest() -> None:
    finished = trainings(20)
    latencies = sorted(known["costs"]["latency_ms"] for known in finished)
    asked = [thresholds(finished, {"latency_ms": latency}, OBJECTIVES) for latency in latencies]
    steps = [one[40] for one in asked]
    assert steps == sorted(steps)
    assert steps[0] < steps[-1]
    cheaper = {"latency_ms": latencies[0] - 1}
    assert thresholds(finished, cheaper, OBJECTIVES) == {}
    assert chance(finished, cheaper, OBJECTIVES, (40, 0.0)) == 1.0


def test_asks_nothing_before_enough_is_finished() -> None:
    finished = trainings(FINISHED)
    assert thresholds(finished[1:], {"latency_ms": 100.0}, OBJECTIVES) == {}
    assert thresholds(finished, {"latency_ms": 100.0}, OBJECTIVES) != {}


def test_asks_nothing_where_curves_do_not_tell_their_end() -> None:
    rng = np.random.default_rng(0)
    finished = [record(i, 18 + rng.normal(), 50.0, rise=rng.normal(RISE, 3)) for i in range(12)]
    assert thresholds(finished, {"latency_ms": 100.0}, OBJECTIVES) == {}
    alike = [record(i, 18.0, 50.0) for i in range(12)]
    assert thresholds(alike, {"latency_ms": 100.0}, OBJECTIVES) == {}


def test_every_cost_counts_in_its_direction() -> None:
    finished = trainings(20)
    slow = {"latency_ms": 101.0, "fps": 17e3 / 101, "params": 50.0}
    asked = thresholds(finished, slow, OBJECTIVES)
    assert thresholds(finished, slow, parse_objectives("psnr,fps")) == asked
    both = thresholds(finished, slow, parse_objectives("psnr,latency_ms,params"))
    assert both == thresholds(finished, slow, parse_objectives("psnr,params"))
    assert thresholds(finished, slow | {"params": -1.0}, parse_objectives("psnr,latency_ms,params")) == {}


def test_a_second_quality_must_be_hopeless_too() -> None:
    finished = trainings(20)
    for known in finished:
        known["metrics"]["ssim"] = 0.9 - known["metrics"]["psnr"] / 100  # the better in PSNR, the worse here
    dear = {"latency_ms": 100.0}
    assert thresholds(finished, dear, parse_objectives("psnr,latency_ms")) != {}
    assert thresholds(finished, dear, parse_objectives("psnr,ssim,latency_ms")) == {}


def test_a_design_that_was_repeated_counts_with_its_mean() -> None:
    finished = trainings(20)
    lucky = record(99, best(finished) + 2, 50.0)
    again = lucky | {"metrics": {"psnr": best(finished) - 2, "ssim": 0.5}, "curve": []}
    dear = {"latency_ms": 100.0}
    with_luck, with_both = (
        thresholds([*finished, *more], dear, OBJECTIVES) for more in ([lucky], [lucky, again])
    )
    assert with_both[40] < with_luck[40] - 1


def test_few_that_would_have_joined_the_front_are_stopped() -> None:
    stopped = wrong = 0
    expected = 0.0
    for seed in range(20):
        order = trainings(40, seed)
        finished: list[dict[str, Any]] = []
        for candidate in order:
            asked = thresholds(finished, candidate["costs"], OBJECTIVES)
            step, psnr = candidate["curve"][0]
            if psnr >= asked.get(step, 0.0):
                finished.append(candidate)
                continue
            cheaper = [
                known
                for known in finished
                if known["costs"]["latency_ms"] <= candidate["costs"]["latency_ms"]
            ]
            stopped += 1
            wrong += candidate["metrics"]["psnr"] > best(cheaper)
            expected += chance(finished, candidate["costs"], OBJECTIVES, (step, psnr))
    assert stopped > 100
    assert wrong <= expected < CHANCE * stopped


def test_accounts_for_what_was_saved() -> None:
    stopped = [
        {"stopped": {"seconds_left": 90.0, "chance": 0.03}},
        {"stopped": {"seconds_left": 30.0, "chance": 0.01}},
    ]
    assert account(stopped) == (
        "2 trainings stopped early: about 2.0 min saved (estimated), and 0.04 of them expected to have been"
        " worth their end"
    )
