"""Several trainings of a design make one row, and confirmed designs stand by themselves."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from study_writer import confirmation, costs, refused, study_record, trained, write_study

from analysis import (
    designs,
    finalists,
    hypervolume_over_trials,
    load_study,
    pareto_front,
    pick,
    place_on_front,
)

Run = Callable[..., Path]

TIMES = ["started", "finished"]  # of the writing

# Design "a" is trained three times; the mean of its PSNR is 30.
RECORDS = [
    trained(33.0, 100.0, hash="a", seed=0),
    trained(31.0, 200.0, hash="b", seed=0),
    trained(29.0, 100.0, hash="a", seed=1),
    refused(900.0, "fps >= 24"),
    trained(28.0, 100.0, hash="a", seed=2),
]


def test_a_design_is_the_mean_of_its_trainings(run: Run) -> None:
    study = load_study(run(RECORDS))
    assert list(study["repeats"]) == [3, 1, 3, 0, 3]
    assert list(study["seed"].dropna()) == [0, 0, 1, 2]
    table = designs(study)
    assert list(table["number"]) == [0, 1]
    assert list(table["psnr"]) == pytest.approx([30.0, 31.0])
    assert list(table["ssim"]) == pytest.approx([0.80, 0.81])
    assert table.loc[0, "psnr_spread"] == pytest.approx(7**0.5)
    assert pd.isna(table.loc[1, "psnr_spread"])
    pd.testing.assert_frame_equal(designs(table), table)


def test_a_lucky_training_alone_wins_nothing(run: Run) -> None:
    study = load_study(run(RECORDS))
    assert list(pareto_front(study)["psnr"]) == pytest.approx([30.0, 31.0])
    assert pick(study, "max psnr")["number"] == 1
    reference = {"psnr": 20.0, "latency_ms": 1000.0}
    # 13 dB over one decade, then 12 dB as the mean falls to 31, beside b's 11 dB over 0.7 decades.
    volumes = hypervolume_over_trials(study, reference=reference)
    assert list(volumes) == pytest.approx([13.0, 13.0, 11.0, 10 * 0.30103 + 11 * 0.69897])
    assert place_on_front(study, 4).startswith("It is number 1 of 2")


def test_confirmed_designs_are_the_only_candidates(run: Run) -> None:
    confirmed = {
        "confirmed:0": confirmation(32.0, 34.0),
        "confirmed:1": confirmation(32.5, 32.5, 32.5),
    }
    better = trained(35.0, 90.0, hash="c")
    study = load_study(run([*RECORDS, better], attributes=confirmed))
    assert list(study["confirmed"]) == [True, True, True, False, True, False]  # a design's, not a training's
    assert study.loc[4, "confirmed.psnr"] == 33.0
    assert study.loc[4, "confirmed.best_seed"] == 10_001
    table = finalists(study)
    assert table.attrs["confirmed"]
    assert list(table["number"]) == [0, 1]
    assert list(table["psnr"]) == [33.0, 32.5]
    assert list(table["repeats"]) == [2, 3]
    assert table.loc[0, "psnr_spread"] == pytest.approx(2**0.5)
    assert list(pareto_front(study)["number"]) == [0]
    assert list(pareto_front(study, provisional=True)["number"]) == [5]
    assert pick(study, "max psnr")["number"] == 0
    assert "of the 2 designs confirmed" in place_on_front(study, 4)


def test_trainings_that_confirm_a_design_count_alike_wherever_a_study_keeps_them(tmp_path: Path) -> None:
    together = confirmation(32.0, 34.0, steps=400)
    shorter = confirmation(20.0, 20.0, 20.0, steps=100)
    apart, shorter_apart = (
        {
            f"confirmed:1:{each['steps']}:{training['seed']}": training | {"steps": each["steps"]}
            for training in each["runs"]
        }
        for each in (together, shorter)
    )
    tables = [
        load_study(write_study(tmp_path / str(number), RECORDS, attributes=attributes)).drop(columns=TIMES)
        for number, attributes in enumerate(
            [{"confirmed:1": together}, apart, {"confirmed:1": shorter} | apart, apart | shorter_apart]
        )
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_where_no_confirmed_design_meets_a_choice_another_does(run: Run) -> None:
    study = load_study(
        run([*RECORDS, trained(25.0, 10.0)], attributes={"confirmed:1": confirmation(32.0, 34.0)})
    )
    chosen = pick(study, "max psnr where latency_ms < 50")
    assert (chosen["number"], chosen["confirmed"]) == (5, False)


def test_a_design_is_priced_again_once_for_all_its_trainings(run: Run) -> None:
    again = costs(150.0, source="coreml")
    attributes = {"study": study_record(version=2), "repriced:0": again}
    study = load_study(run(RECORDS, attributes=attributes))
    assert list(study["latency_ms"]) == [150.0, 200.0, 150.0, 900.0, 150.0]
    assert list(study["source"]) == ["coreml", "trace", "coreml", "trace", "coreml"]
