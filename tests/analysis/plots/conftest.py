"""Fixtures of the tests that look at pictures."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from study_writer import confirmation, random_records, trained, write_study

from analysis import load_study, pareto_front

LONG = "a name " + "that goes on and on " * 10
NAMED = [
    trained(27.2, 700.0, name="Turbo-VAED-Hunyuan"),
    trained(26.6, 180.0, name="TAEHV"),
    trained(25.9, 230.0, name="Flash-VAED-Wan"),
    trained(28.0, 900.0, name=LONG),
]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def named() -> list[dict]:
    """Records of published designs, and of one with a very long name."""
    return NAMED


@pytest.fixture(scope="session")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Fifty designs: four with a name, twelve trained twice, latency with its interval."""
    records = random_records(46, seed=1) + NAMED
    again = [r | {"metrics": {"psnr": r["metrics"]["psnr"] + 0.2, "ssim": 0.8}} for r in records[:12]]
    for record in records + again:
        costs = record["costs"]
        costs |= {"latency_low_ms": costs["latency_ms"] / 1.6, "latency_high_ms": costs["latency_ms"] * 1.7}
    return load_study(write_study(tmp_path_factory.mktemp("fifty"), records + again))


@pytest.fixture(scope="session")
def confirmed(fifty: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Designs of which four were trained again, longer; one of them is no longer on the front."""
    records = random_records(30, seed=1)
    folder = tmp_path_factory.mktemp("confirmed")
    front = pareto_front(load_study(write_study(folder / "before", records)))["number"].iloc[:4]
    better = zip(front, (27.0, 28.0, 26.0, 29.0), strict=True)
    said = {f"confirmed:{number}": confirmation(psnr, psnr + 0.3) for number, psnr in better}
    return load_study(write_study(folder / "after", records, attributes=said))
