"""How well one list of qualities ranks designs beside another, on a handful that can be checked by hand."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

LATENCY = np.array([10.0, 12.0, 15.0, 40.0, 50.0, 60.0])  # two octaves of three
LONG = np.array([20.0, 21.0, 22.0, 23.0, 24.0, 25.0])


@pytest.fixture(scope="module")
def proxy() -> Iterator[ModuleType]:
    """The command as a module, which finds the table beside it as it does when it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("proxy")


def test_within_octaves_counts_no_pair_of_two_octaves(proxy: ModuleType) -> None:
    short = np.array([3.0, 2.0, 1.0, 6.0, 5.0, 4.0])  # each octave reversed
    assert proxy.spearman(short, LONG, LATENCY) > 0
    assert proxy.spearman_within(short, LONG, LATENCY) == pytest.approx(-1)
    assert proxy.kendall_within(short, LONG, LATENCY) == -1


def test_regret_is_what_the_choice_in_each_octave_loses(proxy: ModuleType) -> None:
    short = np.array([1.0, 3.0, 2.0, 1.0, 2.0, 3.0])
    assert proxy.regret(short, LONG, LATENCY).tolist() == [1, 0]


def test_fronts(proxy: ModuleType) -> None:
    short = np.array([3.0, 2.0, 2.5, 4.0, 3.5, 4.5])
    assert proxy.front(short, LATENCY).tolist() == [True, False, False, True, False, True]
    assert proxy.front(LONG, LATENCY).all()
    assert proxy.front_overlap(short, LONG, LATENCY) == pytest.approx(0.5)
    assert proxy.front_regret(short, LONG, LATENCY).tolist() == [0, 1, 2, 0, 1, 0]


def test_a_fit_leaves_out_the_design_it_speaks_of(proxy: ModuleType) -> None:
    size = np.arange(5.0)
    assert proxy.left_out_fit(size[:, None], 2 * size + 1) == pytest.approx(2 * size + 1)
    outlier = np.array([0.0, 0.0, 0.0, 0.0, 9.0])
    assert proxy.left_out_fit(size[:, None], outlier)[-1] == pytest.approx(0)
