"""Exported designs: files that load again, and a card that says what they are."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nas.export import export, load_exported
from nas.run_directory import RunDirectory
from search_space import build_decoder, design
from search_space.errors import UserError

CONFIG = design("turbo-vaed-hunyuan").narrowed(0.05, minimum=4)

DESIGN: dict[str, Any] = {
    "number": 7,
    "name": None,
    "source": "coreml",
    "params": 1234567,
    "flops": 2.5e12,
    "latency_ms": 400.0,
    "fps": 42.5,
    "peak_memory_bytes": 9.5e8,
    "psnr": 31.25,
    "ssim": 0.91,
}


def record(proxy: dict[str, Any] | None, kind: str = "stand-in") -> dict[str, Any]:
    return {
        "teacher": "wan",
        "teacher_psnr": 33.0,
        "weights": {"kind": kind, "digest": "f" * 64, "description": "a small stand-in for Wan 2.1"},
        "device": "iphone-16-pro",
        "resolution": [512, 512],
        "frames": 17,
        "seed": 0,
        "settings": {
            "proxy": proxy,
            "training": {"steps": 280},
            "clips": {"size": 128, "validation": 16},
        },
    }


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run whose trial 7 trained `CONFIG` at full width."""
    run = RunDirectory(tmp_path / "run", "run")
    run.create()
    with run.writing_trial(7) as folder:
        CONFIG.save(folder / "config.json")
        save_file(build_decoder(CONFIG).state_dict(), folder / "weights.safetensors")
    return run


def test_trained_weights_come_back(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    assert export(run, DESIGN, record(proxy=None), to)
    assert sorted(path.name for path in to.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    decoder = load_exported(to)
    trained = load_file(run.trial(7) / "weights.safetensors")
    assert all(torch.equal(tensor, trained[name]) for name, tensor in decoder.state_dict().items())
    assert json.loads((to / "config.json").read_text())["_class_name"] == "AutoencoderKLTurboVAED"
    card = (to / "README.md").read_text()
    for said in (
        "a small stand-in for Wan 2.1",
        "42.5 frames/s",
        "31.25 dB",
        "Core ML conversion, not measure",
    ):
        assert said in card
    assert "untrained" not in card


def test_a_proxys_design_gets_weights_that_are_called_untrained(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    assert not export(run, DESIGN, record(proxy={"width_factor": 0.125, "minimum_width": 8}), to)
    assert load_exported(to).config == CONFIG
    assert "untrained" in (to / "README.md").read_text()


def test_fills_the_empty_folder_that_somebody_stands_in(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "decoder").mkdir()
    monkeypatch.chdir(tmp_path / "decoder")
    export(run, DESIGN, record(proxy=None), Path())
    assert sorted(path.name for path in Path().iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert load_exported(".").config == CONFIG
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_whoever_may_read_the_configuration_may_read_the_weights(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    export(run, DESIGN, record(proxy=None), to)
    assert (to / "model.safetensors").stat().st_mode == (to / "config.json").stat().st_mode


def test_refuses_to_overwrite_and_to_export_what_is_gone(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not an empty folder"):
        export(run, DESIGN, record(None), tmp_path / "full")
    with pytest.raises(UserError, match="trial 8: its files are not in"):
        export(run, DESIGN | {"number": 8}, record(None), tmp_path / "decoder")


def test_refuses_weights_of_another_design(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    export(run, DESIGN, record(None), to)
    CONFIG.narrowed(0.5, minimum=4).save(to / "config.json")
    with pytest.raises(UserError, match="is not of"):
        load_exported(to)
    with pytest.raises(UserError, match="nowhere"):
        load_exported(tmp_path / "nowhere")
