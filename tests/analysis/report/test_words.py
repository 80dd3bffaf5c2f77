"""What a report says of a study in sentences."""

from collections.abc import Callable
from pathlib import Path

import pytest
from study_writer import confirmation, refused, study_record, trained

from analysis import load_study
from analysis.report.basis import measured_and_estimated
from analysis.report.evidence import uncertainty
from analysis.report.losses import reasons, time_saved
from analysis.report.summary import named_choices, quality_rests_on, sentences, tiles

Run = Callable[..., Path]


def stopped(chance: float, seconds_left: float) -> dict[str, object]:
    """The record of a trial that was stopped early."""
    left = {"step": 50, "psnr": 20.0, "chance": chance, "seconds_left": seconds_left}
    return {"outcome": "stopped", "reason": "too low", "hash": f"{chance}", "name": None, "stopped": left}


def test_the_summary_gives_the_front_its_ends_and_what_is_fast_enough(run: Run) -> None:
    table = load_study(
        run([trained(20.0, 100.0), trained(24.0, 500.0), trained(25.0, 2000.0), refused(1, "no")])
    )
    said = sentences(table)
    assert said[0] == "4 candidates so far: 3 trained to the end and 1 refused before training."
    assert said[1].startswith("3 of 3 trained designs form the front")
    assert said[2] == "It reaches from #0 (20.00 dB and 100.0 ms) to #2 (25.00 dB and 2,000.0 ms)."
    assert "At 24 or 30 frames a second or more the best is #1 with 24.00 dB." in said
    assert "At 60 frames a second or more the best is #0 with 20.00 dB." in said
    assert "The teacher itself reaches 29.50 dB on the same clips." in said
    assert [tile.value for tile in tiles(table)] == ["3", "3", "25.00 dB", "100.0 ms"]
    assert ("max psnr where fps >= 60", "#0") in [
        (name, said.partition(":")[0]) for name, said in named_choices(table)
    ]
    assert quality_rests_on(table).startswith(
        "Provisional: quality is that of the search's own short trainings of 100"
    )


def test_a_confirmed_front_says_what_confirms_it_and_who_can_be_told_apart(run: Run) -> None:
    again = {"confirmed:0": confirmation(24.0, 24.4), "confirmed:1": confirmation(24.3, 24.5)}
    records = [trained(20.0, 100.0), trained(21.0, 200.0), trained(22.0, 300.0)]
    table = load_study(run(records, attributes={"study": study_record()} | again))
    assert "2 times or more with different seeds, for 400 steps each" in quality_rests_on(table)
    said = uncertainty(table)
    assert "standard deviation" in said[0]
    assert "#0 from #1; #1 from #0" in said[1]


def test_one_training_each_tells_nothing_of_seeds(run: Run) -> None:
    assert "nobody knows how far quality moves" in uncertainty(load_study(run([trained(20.0, 100.0)])))[0]


def test_reasons_that_differ_in_figures_only_are_one(run: Run) -> None:
    records = [refused(2000.0 + i, f"latency_ms is {2000 + i}.5, not <= 1000") for i in range(3)]
    records += [refused(1.0, "not fits"), {"outcome": "failed", "reason": "out of memory", "hash": "f"}]
    kinds = reasons(load_study(run(records)))
    assert [(kind.outcome, kind.count) for kind in kinds] == [("refused", 4), ("failed", 1)]
    assert kinds[0].rows == [(3, "latency_ms is 2000.5, not <= 1000", 0), (1, "not fits", 3)]


def test_time_saved_is_added_up_with_what_it_may_have_cost(run: Run) -> None:
    table = load_study(run([trained(20.0, 100.0), stopped(0.04, 900.0), stopped(0.02, 900.0)]))
    said = time_saved(table)
    assert "Stopping 2 trainings early saved about 30 min" in said
    assert "0.1 would still have reached the front" in said
    assert time_saved(load_study(run([trained(20.0, 100.0)], name="other"), "other")) == ""


@pytest.mark.parametrize(("kind", "called"), [("stand-in", "stand-in"), ("hub", "real weights")])
def test_the_teacher_s_weights_are_called_what_they_are(run: Run, kind: str, called: str) -> None:
    weights = {"kind": kind, "source": "", "digest": "0", "description": "its weights"}
    table = load_study(run([trained(20.0, 100.0)], attributes={"study": study_record(weights=weights)}))
    rows = {what: (is_, how) for what, is_, how in measured_and_estimated(table)}
    assert rows["the teacher"] == (called, "wan: its weights")
    assert rows["latency, speed, memory"][0] == "estimated"
    assert "1 design from a trace" in rows["latency, speed, memory"][1]
    assert "narrowed in width" in rows["quality"][1]
