"""Exported designs: files that load again, and a card that says what they are."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save

from nas.card import describe_training
from nas.export import export, load_exported
from nas.run_directory import RunDirectory
from nas.teachers import WeightsInUse
from nas.training.settings import load_training
from search_space import build_decoder, design
from search_space.errors import UserError

FILES = ["README.md", "config.json", "model.safetensors", "training.yaml"]
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
    weights = save(build_decoder(CONFIG).state_dict())
    run.write_trial(7, {"config.json": json.dumps(CONFIG.to_dict()).encode(), "weights.safetensors": weights})
    return run


def test_trained_weights_come_back(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    assert export(run, DESIGN, record(proxy=None), to)
    assert sorted(path.name for path in to.iterdir()) == FILES
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


def test_a_confirmed_design_comes_with_the_weights_of_its_best_confirmation(
    run: RunDirectory, tmp_path: Path
) -> None:
    longer = {name: tensor + 1 for name, tensor in build_decoder(CONFIG).state_dict().items()}
    files = {
        "config.json": json.dumps(CONFIG.to_dict()).encode(),
        "weights.safetensors": save(longer),
        "metrics.json": json.dumps({"metrics": {"psnr": 34.5, "ssim": 0.95}}).encode(),
    }
    run.write_confirmation(7, 1120, 10001, files)
    confirmed = {"confirmed": True, "confirmed.best_seed": 10001, "confirmed.steps": 1120}
    export(run, DESIGN | confirmed, record(proxy=None), tmp_path / "decoder")
    decoder = load_exported(tmp_path / "decoder")
    assert all(torch.equal(tensor, longer[name]) for name, tensor in decoder.state_dict().items())
    card = (tmp_path / "decoder" / "README.md").read_text()
    assert "34.50 dB" in card
    assert "1,120 steps" in card

    damaged = run.confirmation(7, 1120, 10001) / "metrics.json"
    damaged.write_text("{")
    with pytest.raises(UserError, match=f"trial 7: {damaged} is damaged or gone"):
        export(run, DESIGN | confirmed, record(proxy=None), tmp_path / "another")


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
    assert sorted(path.name for path in Path().iterdir()) == FILES
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
    with pytest.raises(UserError, match=r"is not of .*: conv_in.conv.weight is \d+x16x3x3x3, not "):
        load_exported(to)
    with pytest.raises(UserError, match="nowhere"):
        load_exported(tmp_path / "nowhere")


def test_truncated_weights_are_an_error(run: RunDirectory, tmp_path: Path) -> None:
    to = tmp_path / "decoder"
    export(run, DESIGN, record(None), to)
    weights = to / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(UserError, match="is damaged, cut off"):
        load_exported(to)


@pytest.mark.parametrize(
    ("teacher", "weights", "expected"),
    [
        ("wan", {"kind": "hub", "source": "Wan-AI/x"}, ("wan", "hub")),
        ("wan", {"kind": "stand-in", "source": "nas/x"}, ("wan", "stand-in")),
        ("ltx", {"kind": "path", "source": "/models/ltx"}, ("ltx", "/models/ltx")),
        ("/models/mine", {"kind": "path", "source": "/models/mine"}, ("/models/mine", "auto")),
    ],
)
def test_the_training_names_the_teacher_of_the_search(
    run: RunDirectory, tmp_path: Path, teacher: str, weights: dict[str, str], expected: tuple[str, str]
) -> None:
    study = record(None)
    study |= {"teacher": teacher, "weights": study["weights"] | weights}
    export(run, DESIGN, study, tmp_path / "decoder")
    settings = load_training(tmp_path / "decoder" / "training.yaml")
    assert (settings.teacher.name, settings.teacher.weights) == expected


def test_the_card_says_where_the_design_stands_and_then_how_it_was_trained(
    run: RunDirectory, tmp_path: Path
) -> None:
    to = tmp_path / "decoder"
    export(run, DESIGN, record(None), to, "It is number 2 of 5.")
    card = to / "README.md"
    metadata, text = card.read_text().split("---\n", 2)[1:]
    assert yaml.safe_load(metadata)["library_name"] == "nas-video-decoders"
    assert "not measurements. It is number 2 of 5." in text
    measured = {"psnr": 30.0, "ssim": 0.9}
    weights = WeightsInUse("path", "/models/mine", "a" * 64, "weights from /models/mine")
    said: dict[str, Any] = {"steps": 90, "seen": "180 clips", "held_out": "4 clips", "weights": weights}
    said |= {"before": measured, "after": {"psnr": 34.56, "ssim": 0.95}, "teacher": measured}
    again = describe_training(card, **said)
    assert again is not None
    assert "| these weights | 34.56 | 0.9500 |" in again
    assert "Trained for 280 steps" not in again
    assert again.index("## Costs") < again.index("## Training") < again.index("## Use")
    assert describe_training(tmp_path / "none.md", **said) is None
