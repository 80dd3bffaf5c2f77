"""What stopping and confirming are said to cost, on trainings that can be checked by hand."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Callable[[str], ModuleType]]:
    """The commands as modules, which find the table beside them as they do when they are run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module


def training(number: int, latency_ms: float, half: float, psnr: float, seconds: float) -> dict[str, Any]:
    return {
        "hash": str(number),
        "costs": {"latency_ms": latency_ms},
        "metrics": {"psnr": psnr, "ssim": 0.5},
        "curve": [(40, half), (80, psnr)],
        "seconds": seconds,
    }


def test_a_replay_counts_what_is_saved_and_what_is_lost(benchmark: Callable[[str], ModuleType]) -> None:
    finished = [training(i, 10.0 + i, 15.0 + i / 4, 18.0 + i / 4, 1.0) for i in range(12)]
    hopeless = training(12, 100.0, 10.0, 13.0, 3.0)
    late = training(13, 100.0, 10.0, 25.0, 1.0)  # by 40 steps as bad, and the best in the end
    replay = benchmark("stopping").replay
    kept = replay([*finished, hopeless], origin=(-12.0, 3.0))
    assert (kept["stopped"], kept["saved"]) == pytest.approx((100 / 13, 100 * 1.5 / 15))
    assert (kept["wrong"], kept["lost"]) == (0, 0)
    mistaken = replay([*finished, late], origin=(-12.0, 3.0))
    assert mistaken["wrong"] == 1
    assert mistaken["lost"] > 10
    assert mistaken["expected"] < 0.05


def test_without_noise_confirming_the_front_keeps_it(benchmark: Callable[[str], ModuleType]) -> None:
    confirmation = benchmark("confirmation")
    rng = np.random.default_rng(0)
    once = pd.DataFrame({
        "hash": [str(i) for i in range(60)],
        "psnr": rng.uniform(15, 20, 60),
        "latency_ms": rng.uniform(10, 1000, 60),
    })  # fmt: skip
    trainings = pd.concat([once, once])
    assert confirmation.noise(trainings) == 0
    ends = confirmation.simulate(trainings, searches=3)
    assert ends.xs("high", axis="columns", level=1).abs().to_numpy().max() == 0
    assert ends["not confirmed"]["lost"].max() == 0
    assert ends["12 confirmed, and those behind it"]["lost"].max() == 0
    assert ends["3 confirmed, of the front alone"]["lost"].min() > 0
