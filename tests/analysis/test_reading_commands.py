"""The commands that read a study: what they print and write, and that they say why there is nothing."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import save_file
from study_writer import confirmation, random_records, refused, study_record, trained, write_study
from typer.testing import CliRunner

from nas.cli import app
from search_space import build_decoder, design

Run = Callable[..., Path]

EXAMPLE = Path(__file__).parents[2] / "benchmarks" / "studies" / "wan-h200"
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
    shown = run_nas("pareto", study)
    assert said in shown
    assert shown.count("\n") <= 2
    assert ("`nas search` goes on" in shown) == ("no design meets" not in said)
    assert json.loads(run_nas("pareto", study, "--json")) == []


def test_what_matters_is_explained_with_what_chance_gives(run: Run, tmp_path: Path) -> None:
    study = run(random_records(12), attributes={"study": study_record()})
    said = run_nas("explain", study, "--png", tmp_path / "effects.png")
    assert (tmp_path / "effects.png").is_file()
    assert "What matters in run" in said
    assert "patch_size" in said
    assert "PSNR at equal latency" in said
    found = json.loads(run_nas("explain", study, "--json"))
    assert found["designs"] == 12
    assert {row["choice"] for row in found["importances"]} == {"up0_conv", "up0_width", "patch_size"}
    assert found["seed_spread"] is None
    assert sum(row["designs"] for row in found["effects"] if row["choice"] == "patch_size") == 12


@pytest.mark.parametrize(
    ("records", "said"),
    [([], "the study has no trial yet"), (random_records(3), "of 3 trained, where it takes 10 designs")],
)
def test_too_little_to_explain_is_said(run: Run, records: Sequence[dict], said: str) -> None:
    study = run(records)
    assert said in run_nas("explain", study)
    assert json.loads(run_nas("explain", study, "--json"))["importances"] == []


def test_studies_are_compared(run: Run, tmp_path: Path) -> None:
    one = run(RECORDS)
    two = write_study(
        tmp_path / "two", [], attributes={"study": study_record(device="host", teacher="<ltx>")}
    )
    said = run_nas("compare", one, two, "--png", tmp_path / "fronts.svg")
    assert (tmp_path / "fronts.svg").is_file()
    assert "latency and memory don't compare: the studies differ in device" in said
    assert "<ltx>" in said
    found = json.loads(run_nas("compare", one, two, "--json"))
    assert [row["front"] for row in found["studies"]] == [3, 0]
    assert found["differences"]["device"] == {str(one): "iphone-16-pro", str(two): "host"}


def test_designs_of_files_studies_and_papers_are_compared(tmp_path: Path) -> None:
    design("taehv").save(tmp_path / "config.json")
    subjects = (f"{EXAMPLE}#8", "turbo-vaed-hunyuan", tmp_path)
    said = run_nas("compare", *subjects, "--png", tmp_path / "stages.pdf")
    assert (tmp_path / "stages.pdf").is_file()
    assert "4 dense, 256 wide" in said
    assert "from a trace of operators, not measured" in said
    rows = json.loads(run_nas("compare", *subjects, "--json"))
    whole = {row["design"]: row for row in rows if row["stage"] == "whole"}
    assert whole["turbo-vaed-hunyuan"]["params"] == 40_687_811
    assert whole[str(tmp_path)]["latency_ms.share"] == pytest.approx(1)
    assert whole[f"{EXAMPLE}#8"]["params.difference"] == 0


@pytest.mark.parametrize(
    ("subjects", "wrong"),
    [
        (["taehv", "taehv"], "two or more different"),
        (["taehv", "flash-vaed-wan", "--png", "stages.gif"], "ends in .png, .svg or .pdf"),
        (["taehv", "nothing"], "'nothing' is no file, folder or study; unknown design"),
        (["taehv", "EXAMPLE"], "is a study and 'taehv' a design"),
        (["taehv", "EXAMPLE#999"], "no design of that number; its 101 trials have numbers from 0 on"),
    ],
)
def test_what_can_not_be_compared_is_named(subjects: list[str], wrong: str) -> None:
    result = CliRunner().invoke(app, ["compare", *[one.replace("EXAMPLE", str(EXAMPLE)) for one in subjects]])
    assert result.exit_code == 2
    assert wrong in result.output


def test_export_finds_the_files_of_a_run_that_moved_and_says_what_is_not_confirmed(
    run: Run, tmp_path: Path
) -> None:
    config = design("turbo-vaed-hunyuan").narrowed(0.05, minimum=4)
    attributes = {"study": study_record(run="/nowhere"), "confirmed:1": confirmation(33.0, 33.2)}
    study = run(RECORDS, attributes=attributes)
    for number in (0, 1, 2):
        folder = study / "trials" / f"{number:04d}"
        folder.mkdir(parents=True)
        config.save(folder / "config.json")
        save_file(build_decoder(config).state_dict(), folder / "weights.safetensors")
    said = run_nas("export", study / "study.db", "--trial", 0, "--to", tmp_path / "first")
    assert "its quality is not confirmed" in said
    # The third trial trained the design that is confirmed under the second's number.
    said = run_nas("export", study, "--trial", 2, "--to", tmp_path / "second")
    assert said.startswith("trial 1 is in")
    assert "not confirmed" not in said
    card = (tmp_path / "second" / "README.md").read_text()
    assert "Its quality is confirmed: PSNR 33.10 dB" in card
