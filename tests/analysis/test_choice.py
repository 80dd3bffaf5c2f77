"""A sentence picks the design that it describes, or says what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from study_writer import refused, trained, write_study

from analysis import load_study, pick
from search_space.errors import UserError

RECORDS = [
    trained(30.0, 100.0, params=5e6),
    trained(33.0, 400.0, params=40e6),
    trained(32.0, 600.0, params=25e6),
    refused(1.0, "params<=45M"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return load_study(write_study(tmp_path_factory.mktemp("choice"), RECORDS))


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("max psnr", 1),
        ("min latency_ms", 0),
        ("max psnr where params <= 30M", 2),
        ("MAX psnr WHERE fps>=24 AND params<=30M", 2),
        ("max psnr where fits and latency_ms < 0.2s and peak_memory_bytes<1GB", 0),
    ],
)
def test_picks(study: pd.DataFrame, sentence: str, number: int) -> None:
    assert pick(study, sentence)["number"] == number


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("", "'max psnr where fps >= 24 and params <= 30M'"),
        ("best psnr", "'best'"),
        ("max latencyms", "'latencyms' is not known; the nearest are: latency_ms, "),
        ("max foo", "`nas pareto STUDY --trials trials.csv` writes every column"),
        ("max hash", "'hash' is not known"),
        ("max psnr if fps >= 24", "can't be read"),
        ("max psnr where fps => 24", "'=>'"),
        ("max psnr where fps >= 24 and speed > 2", "'speed'"),
        ("max psnr where fps >= 24 or params <= 1M", "'24 or params <= 1M' is not a number"),
        (
            "max psnr where fps >= 500",
            "nothing to choose: no design meets 'fps >= 500': the highest of the 3 trained is 170",
        ),
        (
            "max psnr where psnr > 31 and params < 20M",
            "'params < 20M': the lowest of the 2 that meet what stands before it is 2.5e+07",
        ),
    ],
)
def test_says_what_is_wrong(study: pd.DataFrame, sentence: str, wrong: str) -> None:
    with pytest.raises(UserError) as error:
        pick(study, sentence)
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_trained(run: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="no trained design"):
        pick(load_study(run([refused(1.0, "params<=45M")])), "max psnr")
