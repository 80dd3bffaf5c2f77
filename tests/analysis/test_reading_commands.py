"""The commands that read a study: what they print and write, and that they say why there is nothing."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from study_writer import confirmation, refused, study_record, trained
from typer.testing import CliRunner

from nas.cli import app

Run = Callable[..., Path]

PARAMETERS = ("mid", "up0", "up1", "up2", "up3")
RECORDS = [
    trained(30.0, 100.0, name="first"),
    trained(32.0, 200.0, name="second", hash="b"),
    trained(32.2, 200.0, name="second", hash="b"),
    trained(32.3, 300.0, name="<b>bold</b> [red]third[/red]"),
]


def run_nas(*arguments: object) -> str:
    """Standard output of a command that succeeds, in one line, as a table folds words."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_provisional_front_says_so_and_marks_what_seeds_could_turn(run: Run, tmp_path: Path) -> None:
    study = run(RECORDS)
    said = run_nas("pareto", study, "--csv", tmp_path / "front.csv", "--trials", tmp_path / "all.parquet")
    assert "Provisional front of run" in said
    assert "<b>bold</b> [red]third[/red]" in said
    # Seeds differ by 0.2 dB in one design, so with one degree of freedom a lot is possible.
    assert "Seeds alone move PSNR by 0.14 dB" in said
    front = json.loads(run_nas("pareto", study, "--json"))
    assert [row["not_told_apart"] for row in front] == [[1, 3], [0, 3], [0, 1]]
    assert pd.read_csv(tmp_path / "front.csv")["confirmed"].to_list() == [False] * 3
    assert len(pd.read_parquet(tmp_path / "all.parquet")) == 4


def test_a_confirmed_front_says_so(run: Run) -> None:
    study = run(RECORDS, attributes={"confirmed:0": confirmation(33.0, 33.2)})
    said = run_nas("pareto", study)
    assert "Confirmed front of run" in said
    assert "33.10" in said
    picked = run_nas("pareto", study, "--pick", "max psnr")
    assert (
        "Its quality is confirmed: PSNR 33.10 dB (standard deviation 0.14) over 2 trainings of 400" in picked
    )
    picked = run_nas("pareto", study, "--pick", "max psnr where latency_ms > 250")
    assert "Its quality is provisional: PSNR 32.30 dB over 1 training" in picked


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "the study has no trial yet"),
        (
            [trained(1.0, 1.0) | {"outcome": "failed", "reason": "out of memory", "metrics": {}}],
            "out of memory",
        ),
        ([refused(900.0, "fps >= 24: 18.9")], "no trained design (1 refused"),
        ([trained(30.0, 900.0)], "no design meets 'fps >= 24': the highest of the 1 trained is 18.8889"),
    ],
)
def test_an_empty_front_says_why(run: Run, records: Sequence[dict], said: str) -> None:
    study = run(records, attributes={"study": study_record(constraints=["fps >= 24"])})
    assert said in run_nas("pareto", study)
    assert json.loads(run_nas("pareto", study, "--json")) == []
