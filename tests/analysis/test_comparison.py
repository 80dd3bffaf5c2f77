"""Designs compared stage by stage, and studies by their fronts and definitions."""

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from study_writer import confirmation, study_record, trained, write_study

from analysis import compare_designs, compare_studies, definition_differences, load_study
from analysis.design_comparison import WHOLE

Run = Callable[..., Path]


def test_stages_are_compared_with_the_first_design() -> None:
    stages = pd.DataFrame(
        [("a", "mid", 10.0, 100), ("a", "up0", 30.0, 0), ("b", "mid", 5.0, 40), ("b", "new", 15.0, 10)],
        columns=["design", "stage", "latency_ms", "params"],
    ).assign(flops=0, bytes=0)
    compared = compare_designs(stages).set_index(["design", "stage"])
    assert list(compared.index) == [
        ("a", "mid"),
        ("a", "up0"),
        ("a", WHOLE),
        ("b", "mid"),
        ("b", "new"),
        ("b", WHOLE),
    ]
    assert compared.loc[("a", WHOLE), "latency_ms"] == 40.0
    assert list(compared["latency_ms.share"]) == pytest.approx([0.25, 0.75, 1, 0.25, 0.75, 1])
    assert list(compared["latency_ms.difference"]) == pytest.approx([0, 0, 0, -5, 15, -20])
    assert compared.loc[("b", WHOLE), "params.difference"] == -50


def test_studies_share_a_reference(tmp_path: Path) -> None:
    one = load_study(write_study(tmp_path / "one", [trained(30.0, 100.0), trained(33.0, 1000.0)]))
    two = load_study(write_study(tmp_path / "two", [trained(32.0, 100.0), trained(29.0, 50.0)]))
    compared = compare_studies({"one": one, "two": two})
    assert compared.attrs["reference"] == {"psnr": 29.0, "latency_ms": 1000.0}
    # Decades from 1,000 ms times dB above 29.
    assert list(compared["hypervolume"]) == pytest.approx([1.0, 3.0])
    assert list(compared["joint"]) == [1, 2]
    assert list(compared["best.psnr"]) == [33.0, 32.0]
    assert compared.attrs["incomparable"] == []
    assert definition_differences({"one": one, "two": two}).empty


def test_what_differs_is_named(tmp_path: Path) -> None:
    other = study_record(
        teacher="ltx",
        device="host",
        weights=study_record()["weights"] | {"digest": "ffff", "source": "elsewhere"},
        space={"up0": {"width": [8]}},
    )
    one = load_study(write_study(tmp_path / "one", [trained(30.0, 100.0)]))
    two = load_study(
        write_study(
            tmp_path / "two",
            [trained(30.0, 100.0)],
            attributes={"study": other, "confirmed:0": confirmation(33.0, 34.0)},
        )
    )
    studies = {"one": one, "two": two}
    differences = definition_differences(studies)
    assert list(differences.index) == ["teacher", "weights.digest", "device", "space.up0.width"]
    assert differences.loc["space.up0.width"].to_list() == [None, [8]]
    quality, latency, confirmed = compare_studies(studies).attrs["incomparable"]
    assert quality == "quality doesn't compare: the studies differ in teacher, weights.digest"
    assert latency == "latency and memory don't compare: the studies differ in device"
    assert "only some" in confirmed


def test_a_study_without_designs_beside_one_with(tmp_path: Path) -> None:
    empty = load_study(write_study(tmp_path / "empty", []))
    some = load_study(write_study(tmp_path / "some", [trained(30.0, 100.0), trained(31.0, 900.0)]))
    compared = compare_studies({"empty": empty, "some": some})
    assert list(compared["hypervolume"]) == [0.0, 0.0]
    assert list(compared["joint"]) == [0, 2]
    assert math.isnan(compared.loc["empty", "best.psnr"])
    assert compare_studies({"a": empty, "b": empty})["front"].sum() == 0
