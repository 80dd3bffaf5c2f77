"""Pictures of what was made out of studies, designs and measurements."""

import numpy as np
import pandas as pd
import pytest
from conftest import LONG
from picture_reading import faults, many, words

from analysis import (
    choice_effects,
    importances,
    plot_agreement,
    plot_effects,
    plot_importances,
    plot_stages,
    plot_studies,
)

STAGES = ["conv_in", "mid_block", *(f"up_block_{i}" for i in range(4)), "head"]


def stage_table(designs: list[str]) -> pd.DataFrame:
    """Stages of made-up designs."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "design": np.repeat(designs, len(STAGES)),
            "stage": STAGES * len(designs),
            "latency_ms": rng.lognormal(3, 1, len(designs) * len(STAGES)),
            "params": rng.lognormal(12, 1, len(designs) * len(STAGES)),
        }
    )


def test_a_stage_that_a_design_lacks_keeps_its_place() -> None:
    table = stage_table(["one", "other"])
    ax = plot_stages(
        table.drop(index=table.index[(table["design"] == "one") & (table["stage"] == "mid_block")])
    )
    assert [label.get_text() for label in ax.get_yticklabels()][:3] == ["conv in", "mid block", "up block 0"]


def measurements(decoders: int, probes: int) -> pd.DataFrame:
    """Made-up measurements beside their estimates, a tenth off."""
    rng = np.random.default_rng(0)
    count = decoders + probes
    measured = 10 ** rng.uniform(-1, 3, count)
    return pd.DataFrame(
        {
            "subject": [f"decoder {i} {LONG}" for i in range(decoders)] + ["a probe"] * probes,
            "frames": [17] * decoders + [0] * probes,
            "measured_ms": measured,
            "estimated_ms": measured * 1.1,
            "left_out_ms": measured * 1.3,
            "low_ms": measured * 0.8,
            "high_ms": measured * 1.5,
        }
    )


@pytest.mark.parametrize("designs", [["one"], [LONG, "another"], [f"design {i}" for i in range(9)]])
@pytest.mark.parametrize("cost", ["latency_ms", "params"])
def test_stages(designs: list[str], cost: str) -> None:
    table = stage_table(designs)
    ax = plot_stages(table, cost)
    total = table[table["design"] == designs[0]][cost].sum()
    shown = f"{total:,.4g} ms" if cost == "latency_ms" else f"{total / 1e6:,.4g} M"
    assert shown in words(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == [name.replace("_", " ") for name in STAGES]
    assert ax.yaxis_inverted()  # the latent above
    assert ("3 designs more not shown" in words(ax)) == (len(designs) == 9)
    assert faults(ax) == []


@pytest.mark.parametrize(("decoders", "probes"), [(0, 0), (1, 0), (4, 0), (8, 300), (5000, 0)])
def test_agreement(decoders: int, probes: int) -> None:
    ax = plot_agreement(measurements(decoders, probes))
    if decoders:
        assert "median error 10.0%, left out of the fit 30.0%" in words(ax)
    else:
        assert "Nothing was measured" in words(ax)
    assert faults(ax) == []


def test_importances(fifty: pd.DataFrame) -> None:
    ax = plot_importances(importances(fifty), fifty)
    assert "what chance alone reaches" in words(ax)
    assert {label.get_text() for label in ax.get_yticklabels()} == {
        "patch size",
        "up0 conv",
        "up0 width",
    }
    assert faults(ax) == []


def test_effects(fifty: pd.DataFrame) -> None:
    effects = choice_effects(fifty)
    ax = plot_effects(effects, fifty)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert len(rows) == len(effects)
    assert rows[0] == f"patch size:  1 ({effects['designs'].iloc[0]})"
    assert faults(ax) == []


def test_many_choices_of_long_names(fifty: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    choices = [f"stage{i}_{'kind' * 8}" for i in range(30)]
    shares = pd.DataFrame({"choice": choices, "objective": "psnr", "importance": 1 / 30, "chance": 0.1})
    ax = plot_importances(shares, fifty)
    assert "15 choices of less importance not shown" in words(ax)
    assert faults(ax) == []
    effects = pd.DataFrame({"choice": np.repeat(choices, 4), "level": ["level " * 12] * 120, "designs": 3})
    effects["effect"] = rng.normal(0, 0.2, 120)
    ax = plot_effects(effects.assign(low=effects["effect"] - 0.2, high=effects["effect"] + 0.2), fifty)
    assert "19 choices of smaller effects not shown" in words(ax)
    assert faults(ax) == []


def test_too_few_designs_to_say_what_matters(fifty: pd.DataFrame) -> None:
    few = fifty.head(4)
    few.attrs = fifty.attrs
    for ax in (plot_importances(importances(few), few), plot_effects(choice_effects(few), few)):
        assert "Too few trained designs" in words(ax)
        assert faults(ax) == []


def test_studies_and_why_they_do_not_compare(fifty: pd.DataFrame) -> None:
    other = fifty.assign(psnr=fifty["psnr"] + 1)
    other.attrs = fifty.attrs | {"study": fifty.attrs["study"] | {"device": "iphone-12"}}
    untrained = fifty.head(0)
    untrained.attrs = fifty.attrs
    ax = plot_studies({"one": fifty, LONG: other, "nothing yet": untrained, "large": many(fifty, 100)})
    assert "Latency and memory don't compare: the studies differ in device." in words(ax)
    assert "50 designs, hypervolume" in words(ax)
    assert "nothing yet" not in words(ax)
    assert faults(ax) == []
    assert "No study has a trained design" in words(plot_studies({"nothing yet": untrained}))
