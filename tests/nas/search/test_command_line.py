"""The commands from end to end, on a random autoencoder, drawn footage and tiny designs."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from nas.cli import app

Arguments = Callable[..., list[str]]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("command", sorted(typer.main.get_group(app).commands))
def test_help_shows_each_default_that_is_told_in_words(command: str) -> None:
    """An unescaped bracket would be taken for markup, and not be shown."""
    options = typer.main.get_group(app).commands[command].params
    told = sum("[default: " in (getattr(option, "help", None) or "") for option in options)
    text = run(command, "--help").output
    assert text.count("[default:") >= told
    assert "default: True" not in text


def test_searches_continues_and_exports(in_small: Arguments, tmp_path: Path) -> None:
    first = run(*in_small("--name", "small", "--budget", "2"))
    assert first.exit_code == 0, first.output
    assert "weights from" in first.stderr
    assert "expected: 2 trainings" in first.stderr
    assert "nas export runs/small" in first.stdout
    folder = Path("runs/small")
    assert {"study.db", "settings.yaml", "front.csv", "front.png"} <= {path.name for path in folder.iterdir()}

    again = run(*in_small("--name", "small", "--budget", "3", "--json"))
    assert again.exit_code == 0, again.output
    assert "expected: 1 training of" in again.stderr
    front = json.loads(again.stdout)
    assert {row["source"] for row in front} == {"coreml"}
    assert len(list(folder.glob("trials/*/metrics.json"))) == 3

    spent = run(*in_small("--name", "small", "--budget", "3"))
    assert spent.exit_code == 0, spent.output
    assert "expected" not in spent.stderr

    other = run(*in_small("--name", "small", "--budget", "4", "--frames", "9"))
    assert (other.exit_code, other.stdout) == (2, "")
    assert "was begun with frames 5, not 9" in other.stderr

    assert run("pareto", "runs/small", "--csv", "a.csv", "--png", "a.png").exit_code == 0
    assert Path("a.csv").is_file()
    assert Path("a.png").is_file()
    exported = run("export", "runs/small", "--pick", "max psnr", "--to", "decoder", "--coreml")
    assert exported.exit_code == 0, exported.output
    assert "untrained" in exported.stdout
    assert Path("decoder/decoder.mlpackage").is_dir()

    costs = run("estimate", "decoder/config.json", "--resolution", "64x64", "--source", "trace", "--json")
    assert costs.exit_code == 0, costs.output
    assert {"params", "flops", "latency_ms", "fps", "peak_memory_bytes", "fits", "stages"} <= set(
        json.loads(costs.stdout)
    )


def test_the_export_that_it_names_finds_the_study(in_small: Arguments) -> None:
    for more in (("--out", "my run"), ("--storage", "sqlite:///other.db", "--name", "b")):
        searched = run(*in_small("--budget", "1", *more))
        assert searched.exit_code == 0, searched.output
        (line,) = (line for line in searched.stdout.splitlines() if line.startswith("export:"))
        exported = run(*shlex.split(line)[2:-1], f"decoder{len(more)}")
        assert exported.exit_code == 0, exported.output


def test_goes_by_the_slow_end_of_the_latency_when_asked(in_small: Arguments) -> None:
    asked = ("--constraint", "latency_ms<=1e6", "--latency-bound")
    result = run(*in_small("--name", "slow", "--budget", "1", *asked, "--json"))
    assert result.exit_code == 0, result.output
    assert "latency_high_ms <= 1000000" in result.stderr
    (row,) = json.loads(result.stdout)
    assert row["latency_high_ms"] > row["latency_ms"]


def test_out_of_time_before_the_first_training_is_no_error(in_small: Arguments) -> None:
    result = run(*in_small("--budget", "1", "--time", "0.001s"))
    assert result.exit_code == 0, result.output
    assert "out of time after 0 of 1" in result.stderr
    assert "nas export" not in result.stdout


def test_the_same_seed_gives_the_same_study(in_small: Arguments) -> None:
    fronts = []
    for name in ("a", "b"):
        result = run(*in_small("--name", name, "--budget", "3", "--seed", "5", "--json"))
        rows = json.loads(result.stdout)
        fronts.append([(row["number"], row["hash"], row["psnr"], row["latency_ms"]) for row in rows])
    assert fronts[0] == fronts[1]


def test_an_interrupt_keeps_finished_trials_and_says_how_to_go_on(in_small: Arguments) -> None:
    command = [sys.executable, "-m", "nas", *in_small("--out", "here", "--budget", "50")]
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as search:
        assert search.stderr is not None
        for line in search.stderr:
            if line.startswith("[1/50]"):
                break
        time.sleep(0.5)
        search.send_signal(signal.SIGTERM)  # as schedulers do; Ctrl-C is dealt with alike
        said = search.stderr.read()
    assert search.returncode == 130
    assert said.splitlines()[-1] == (
        "nas: interrupted; finished trials are kept, and the same command continues"
    )
    kept = run("pareto", "here", "--json")
    assert kept.exit_code == 0, kept.output
    assert json.loads(kept.stdout)


def test_an_interrupt_outside_a_search_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nas.costs.devices", interrupted)
    result = run("devices")
    assert (result.exit_code, result.stderr) == (130, "nas: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", "--budget", "0"], "budget 0"),
        (["search", "--budget", "ten"], "'ten'"),
        (["search", "--workers", "0"], "workers '0'"),
        (["search", "--workers", "-1"], "workers '-1'"),
        (["search", "--workers", "x"], "workers 'x'"),
        (["search", "--time", "soon"], "'soon'"),
        (["search", "--resolution", "512"], "'512'"),
        (["search", "--teacher", "nobody"], "'nobody'"),
        (["estimate", "nowhere.json"], "nowhere.json"),
        (
            ["estimate", "nowhere.json", "--device", "host", "--lowering", "conv3d", "--memory", "1MB"],
            "--lowering, --memory: for estimates; --device host runs the decoder",
        ),
        (["pareto", "nowhere"], "nowhere"),
        (["export", "nowhere", "--to", "x"], "nowhere"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_what_the_caller_got_wrong_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_wrong_inputs_of_a_search_are_said_before_training(in_small: Arguments, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "text.mp4").write_text("not a video")
    for more, said in (
        (["--constraint", "latency_ms<=0.001"], "'latency_ms <= 0.001': the best has"),
        (["--data", "words"], "text.mp4"),
        (["--space", "ltx"], "the space is for 128 channels at 8x32x32"),
    ):
        result = run(*in_small(*more))
        assert result.exit_code == 2, result.output
        assert said in result.stderr.splitlines()[-1]
        assert "trial" not in result.stderr
        assert ("looking for designs that meet latency_ms <= 0.001" in result.stderr) == (
            "--constraint" in more
        )


def test_lists_teachers_and_devices() -> None:
    teachers = json.loads(run("teachers", "--json").stdout)
    assert "wan" in {teacher["name"] for teacher in teachers}
    assert "iphone-16-pro" in run("devices").stdout
