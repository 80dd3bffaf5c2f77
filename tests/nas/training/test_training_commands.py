"""`nas train` from the command line: what it says where something is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nas.cli import app


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, ["--data", "."], "holds no video"),
        ({}, ["--settings", "nowhere.yaml"], "'nowhere.yaml': neither a preset (cpu, published) nor"),
        ({"perceptual": {"weight": 1.0, "vgg16": None}}, [], "LPIPS needs the "),
        ({"teacher": {"name": "nobody"}}, [], "unknown teacher 'nobody'"),
        (
            {"features": {"weight": 1.0, "blocks": [["mid_block", "block_9"]], "relative": True}},
            [],
            "has no block block_9: it has mid_block",
        ),
        (
            {"features": {"weight": 1.0, "blocks": [["block_9", "mid_block"]], "relative": True}},
            [],
            "features.blocks: no block block_9: it must be one of mid_block",
        ),
    ],
)
def test_bad_input_is_one_line(
    exported: Callable[..., Path],
    footage: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    arguments: list[str],
    message: str,
) -> None:
    folder = exported("decoder", **changes)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["train", str(folder), *(arguments or ["--data", str(footage)])])
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[-1]


def test_trains_to_the_end_and_says_what_it_came_to(exported: Callable[..., Path], footage: Path) -> None:
    folder = exported("decoder", steps=1, adversarial=None)
    result = CliRunner().invoke(app, ["train", str(folder), "--data", str(footage)])
    assert result.exit_code == 0, result.output
    assert "held out: warm start" in result.stderr
    assert "model.safetensors is trained: " in result.stdout
