"""`nas sweep` from end to end, on a space of few designs."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from nas.cli import app
from search_space import DecoderConfig

SPACE = """
teacher: tiny
latent_channels: 4
compression: [4, 8, 8]
patch_size: [1, 2]
time_doubling: [late]
time_padding: [causal]
mid: {blocks: [0, 1], conv: [spatial, dw3]}
up0: {width: [8, 16], blocks: [0], conv: [spatial]}
up1: {width: [8], blocks: [0, 1], conv: [spatial], upsampler: [nearest]}
up2: {width: [8, 16], blocks: [0], conv: [spatial], upsampler: [nearest]}
up3: {width: [8], blocks: [0, 1], conv: [spatial], upsampler: [nearest]}
"""


def run(*arguments: str) -> Result:
    clip = ("--resolution", "64x64", "--frames", "9", "--samples", "200")
    return CliRunner().invoke(app, ["sweep", "--space", "space.yaml", *clip, *arguments])


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.yaml").write_text(SPACE)


def test_writes_a_table_and_a_picture_and_prints_the_front() -> None:
    result = run("--table", "t.csv", "--png", "t.png", "--constraint", "params<=20K", "--constraint", "fits")
    assert result.exit_code == 0, result.output
    assert "meet params <= 20000" in result.stdout
    assert "meet all of them" in result.stdout
    assert "exact under bounds on time from above" in result.stdout
    assert Path("t.png").is_file()
    table = pd.read_csv("t.csv")
    assert set(table["kind"]) == {"drawn", "front"}
    assert (table["meets"] == ((table["params"] <= 20_000) & table["fits"])).all()


def test_prints_json_whose_front_can_be_built() -> None:
    result = run("--json", "--constraint", "fps>=1")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["shares"] == {"fps >= 1": 1.0}
    assert summary["basis"] == "estimated"
    assert summary["front_is_exact"]
    for row in summary["front"]:
        assert DecoderConfig.from_dict(row["config"]).hash == row["hash"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "t.txt"), "t.txt: a table ends in .csv or .parquet"),
        (("--png", "t.txt"), "t.txt: a picture ends in"),
        (("--memory", "much"), "memory 'much'"),
        (("--constraint", "psnr>=30"), "psnr is known only after training"),
        (("--device", "abacus"), "'abacus'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
