"""`nas report` on a run with its files, and the commands that its page prints."""

import html
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from report_parts import write_frames
from safetensors.torch import save_file
from study_writer import random_records, study_record, write_study
from typer.testing import CliRunner

from analysis import load_study, pareto_front
from nas.cli import app
from nas.cli.called import called
from search_space import build_decoder, design

COMMAND = re.compile(r'<code class="command">(nas export .*?)</code>')


@pytest.fixture
def complete_run(tmp_path: Path) -> Path:
    """A run with the files of each trial, in a folder that a shell must be told of with care."""
    folder = tmp_path / "it's a $(run)"
    config = design("turbo-vaed-hunyuan").narrowed(0.0625)
    weights = build_decoder(config).state_dict()
    records = [record | {"config": config.to_dict()} for record in random_records(5)]
    for number in range(len(records)):
        trial = folder / "trials" / f"{number:04d}"
        trial.mkdir(parents=True)
        config.save(trial / "config.json")
        save_file(weights, trial / "weights.safetensors")
        write_frames(trial / "frames.png", seed=number)
        metrics = {"trial": number, "metrics": records[number]["metrics"]}
        (trial / "metrics.json").write_text(json.dumps(metrics))
    return write_study(folder, records, attributes={"study": study_record(run=str(folder))})


def test_the_page_lies_in_the_run_and_its_commands_run(complete_run: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(complete_run)])
    assert result.exit_code == 0, result.output
    page = (complete_run / "report.html").read_text(encoding="utf-8")
    front = pareto_front(load_study(complete_run))
    commands = [shlex.split(html.unescape(command)) for command in COMMAND.findall(page)]
    assert len(commands) == len(set(map(tuple, commands))) >= len(front) + 2
    picked = [command for command in commands if "--pick" in command]
    for i, (*command, _) in enumerate([picked[0], commands[-1]]):
        exported = CliRunner().invoke(app, [*command[1:], str(complete_run / f"exported{i}")])
        assert exported.exit_code == 0, exported.output
    assert "can't be priced here" not in page
    assert "Designs without pictures" not in page
    assert "damaged:" not in page


def test_damaged_files_of_the_front_are_said(complete_run: Path) -> None:
    front = pareto_front(load_study(complete_run))
    number = int(front["number"].iloc[0])
    trial = complete_run / "trials" / f"{number:04d}"
    (trial / "metrics.json").unlink()
    frames = trial / "frames.png"
    frames.write_bytes(frames.read_bytes()[:5_000])
    result = CliRunner().invoke(app, ["report", str(complete_run)])
    assert result.exit_code == 0, result.output
    page = html.unescape((complete_run / "report.html").read_text(encoding="utf-8"))
    assert f"#{number}: there is no {trial / 'metrics.json'}" in page
    assert f"#{number}: {frames} can't be read as its frames" in page


def test_a_page_that_cannot_be_written_is_one_line(run: Callable[..., Path], tmp_path: Path) -> None:
    wanted = tmp_path / "absent" / "report.html"
    result = CliRunner().invoke(app, ["report", str(run([])), "--to", str(wanted)])
    assert (result.exit_code, result.stderr) == (
        2,
        f"nas: {wanted} can't be written: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("study", "name", "words"),
    [
        ("runs/wan", None, "runs/wan"),
        ("a b", "c", "'a b' --name c"),
        ("-x", None, "./-x"),
        ("postgresql+psycopg://me:secret@db/nas", "wan", "postgresql+psycopg://me@db/nas --name wan"),
        ("postgresql://db/nas?password=secret&user=me", None, "'postgresql://db/nas?user=me'"),
    ],
)
def test_a_study_is_called_as_a_shell_takes_it_without_its_password(
    study: str, name: str | None, words: str
) -> None:
    assert called(study, name) == words
