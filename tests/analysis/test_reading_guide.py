"""What docs/reading.md prints runs as printed."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas.cli import app

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}nas (.+)$", GUIDE, re.MULTILINE)


@pytest.fixture(autouse=True)
def project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place to write to in which the example study lies as in the project's folder."""
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str) -> None:
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output


def test_the_printed_front_is_what_comes_out() -> None:
    result = CliRunner().invoke(app, ["pareto", "benchmarks/studies/wan-h200"])
    printed = re.findall(r"^ {4}(│.*│)$", GUIDE, re.MULTILINE)
    assert printed == re.findall(r"^(│.*│)$", result.output, re.MULTILINE)


def test_the_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(code, "reading.md", "exec"), {})
