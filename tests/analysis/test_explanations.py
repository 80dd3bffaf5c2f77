"""What matters for quality, and what each choice gives at equal latency, on designs whose truth is known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from study_writer import random_records, study_record, trained, write_study

from analysis import choice_effects, importances, load_study
from analysis.built_choices import NOT_BUILT, built_choices

Run = Callable[..., Path]

SPACE = {"compression": [4, 8, 8], "up0": {"width": [24, 48, 96]}, "up1": {}}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Quality rises by 2 dB a decade of latency, by 1 dB with dense convolutions, and with nothing else."""
    rng = np.random.default_rng(0)
    parameters: list[dict[str, Any]] = []
    records = []
    for i in range(120):
        latency = 10 ** rng.uniform(1, 3)
        chosen = {
            "up0_blocks": int(rng.integers(0, 3)),
            "up0_conv": str(rng.choice(["dense", "dw3"])),
            "up0_width_rank": int(rng.integers(0, 3)),
            "up0_upsampler": str(rng.choice(["nearest", "bilinear"])),
            "up1_upsampler": str(rng.choice(["nearest", "bilinear"])),
            "patch_size": int(rng.choice([1, 2])),
        }
        dense = chosen["up0_conv"] == "dense" and chosen["up0_blocks"] > 0
        psnr = 20 + 2 * np.log10(latency) + dense + rng.normal(0, 0.1)
        parameters.append(chosen)
        records.append(trained(float(psnr), float(latency), hash=str(i)))
    directory = tmp_path_factory.mktemp("explained")
    attributes = {"study": study_record(space=SPACE)}
    return load_study(write_study(directory, records, attributes=attributes, parameters=parameters))


def test_choices_are_those_that_were_built(study: pd.DataFrame) -> None:
    built = built_choices(study)
    assert set(built["up0_width"]) == {24, 48, 96}
    without_blocks = study["param.up0_blocks"] == 0
    assert (built["up0_conv"][without_blocks] == NOT_BUILT).all()
    assert not (built["up0_conv"][~without_blocks] == NOT_BUILT).any()
    # Of four stages the last three upsample eightfold, or two where the head makes patches of 2.
    assert "up0_upsampler" not in built
    assert ((built["up1_upsampler"] == NOT_BUILT) == (study["param.patch_size"] == 2)).all()


def test_what_matters_exceeds_chance_and_nothing_else_does(study: pd.DataFrame) -> None:
    # Latency, which explains most, is no choice here, so what is left is much noise and one effect.
    level = study.assign(psnr=study["psnr"] - 2 * np.log10(study["latency_ms"]))
    level.attrs = study.attrs
    found = importances(level, ["psnr"]).set_index("choice")
    assert found.index[0] == "up0_conv"
    assert found["importance"].sum() == pytest.approx(1)
    exceeds = found["importance"] > found["chance"]
    assert set(found.index[exceeds]) <= {"up0_conv", "up0_blocks"}


def test_effects_are_at_equal_latency(study: pd.DataFrame) -> None:
    effects = choice_effects(study).set_index(["choice", "level"])
    dense, depthwise = effects.loc[("up0_conv", "dense")], effects.loc[("up0_conv", "dw3")]
    assert dense["effect"] - depthwise["effect"] == pytest.approx(1, abs=0.06)
    assert dense["low"] < dense["effect"] < dense["high"]
    assert effects.loc[("up0_width", 24), "low"] < 0 < effects.loc[("up0_width", 24), "high"]
    # Weighted by the designs, the effects of a choice's levels cancel.
    weighted = effects["effect"] * effects["designs"]
    assert weighted.groupby("choice").sum().abs().max() == pytest.approx(0, abs=1e-6)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(100):
        latency = 10 ** rng.uniform(1, 3, 25)
        dense = rng.random(25) < 0.4
        table = pd.DataFrame(
            {
                "outcome": "trained",
                "number": range(25),
                "hash": [str(i) for i in range(25)],
                "confirmed": False,
                "psnr": 20 + 2 * np.log10(latency) + dense + rng.normal(0, 0.5, 25),
                "latency_ms": latency,
                "param.conv": np.where(dense, "dense", "dw3"),
            }
        )
        table.attrs = {"study": study_record(), "metrics": ["psnr"]}
        effect = choice_effects(table).set_index("level").loc["dense"]
        truth = 1 - dense.mean()
        covered.append(effect["low"] <= truth <= effect["high"])
    assert 0.9 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(
    "records",
    [
        [],
        [trained(30.0, 100.0)],
        [trained(30.0, 100.0) | {"outcome": "failed", "metrics": {}}] * 12,
        random_records(9),
    ],
)
def test_too_little_explains_nothing(run: Run, records: Sequence[dict]) -> None:
    little = load_study(run(records))
    assert importances(little).empty
    assert choice_effects(little).empty
