"""Whole trainings: neither an interruption nor the number of processes changes what is learnt."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nas.training.checkpoint import load_checkpoint
from nas.training.files import TrainingFiles
from nas.training.loop import train
from nas.training.settings import load_training
from search_space import DecoderConfig, design
from search_space.errors import UserError

Folder = Callable[..., Path]


def _rows(folder: Path) -> list[dict[str, str]]:
    with TrainingFiles(folder).metrics.open(newline="", encoding="utf-8") as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


def test_improves_on_its_warm_start_and_leaves_its_records(
    exported: Folder, settings_of: Callable, footage: Path
) -> None:
    folder = exported("decoder")
    before = load_file(folder / "model.safetensors")
    stand_in = {"name": "wan", "weights": "stand-in"}  # since a random teacher's latents hold little
    wanted = {"steps": 40, "adversarial": None, "validate_every": 20, "save_every": 40, "teacher": stand_in}
    outcome = train(folder, footage, settings_of(folder, **wanted))
    files = TrainingFiles(folder)
    assert outcome.finished
    assert load_training(files.used).steps == 40
    assert outcome.after["psnr"] > outcome.before["psnr"] + 1
    rows = _rows(folder)
    assert [int(row["step"]) for row in rows] == list(range(1, 41))
    assert float(rows[-1]["psnr"]) == pytest.approx(outcome.after["psnr"], abs=1e-3)
    assert float(rows[-1]["features"]) < float(rows[0]["features"])
    assert [path.name for path in sorted(files.frames.iterdir())] == ["step-0000020.png", "step-0000040.png"]
    after = load_file(folder / "model.safetensors")
    assert after.keys() == before.keys()
    assert any(not torch.equal(after[name], before[name]) for name in before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in load_file(files.warm_start).items())
    place, tensors = load_checkpoint(files.checkpoint)
    assert place.seen == 40 * 2
    assert all(torch.equal(after[name], tensors[f"average.{name}"]) for name in after)


def test_killed_and_continued_equals_uninterrupted(
    exported: Folder, settings_of: Callable, footage: Path
) -> None:
    whole = exported("whole")
    reading = settings_of(whole).data.model_dump() | {"workers": 1}
    stopped = exported("stopped", steps=10**6, data=reading)
    command = [sys.executable, "-m", "nas", "train", str(stopped), "--data", str(footage)]
    checkpoint = TrainingFiles(stopped).checkpoint
    reached = 0
    for number, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 130)):
        # As a terminal or a scheduler does it: in a group of its own, which the signal reaches as a whole.
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            while not (checkpoint.exists() and load_checkpoint(checkpoint)[0].step > reached):
                assert process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.05)
            os.killpg(process.pid, number)
            process.communicate()
        assert process.returncode == status
        reached = load_checkpoint(checkpoint)[0].step
    steps = reached + 3  # in the second phase, whenever the signals came
    train(stopped, footage, settings_of(stopped, steps=steps))
    train(whole, footage, settings_of(whole, steps=steps))
    expected = load_file(whole / "model.safetensors")
    found = load_file(stopped / "model.safetensors")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert _rows(stopped) == _rows(whole)


def test_two_processes_equal_one_with_doubled_accumulation(
    exported: Folder, settings_of: Callable, footage: Path
) -> None:
    one, two = exported("one"), exported("two", accumulation=1)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    run = subprocess.run(
        [*launch, "-m", "nas", "train", str(two), "--data", str(footage)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    train(one, footage, settings_of(one))
    expected, found = load_file(one / "model.safetensors"), load_file(two / "model.safetensors")
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], atol=1e-5, rtol=1e-4)
    for ours, theirs in zip(_rows(two), _rows(one), strict=True):
        for key in ("loss", "l1", "features", "discriminator", "adaptive_weight"):
            assert float(ours[key] or 0) == pytest.approx(float(theirs[key] or 0), rel=1e-3, abs=1e-5)


def test_latents_on_disk_are_made_once(exported: Folder, settings_of: Callable, footage: Path) -> None:
    folder = exported("decoder")
    data = settings_of(folder).data.model_dump() | {"latents": "on_disk", "clips": 3}
    train(folder, footage, settings_of(folder, steps=2, data=data))
    kept = sorted(TrainingFiles(folder).latents.glob("*.safetensors"))
    assert len(kept) == 3
    times = [path.stat().st_mtime_ns for path in kept]
    assert train(folder, footage, settings_of(folder, steps=4, data=data)).finished
    assert [path.stat().st_mtime_ns for path in kept] == times


def test_refuses_to_continue_with_another_design_settings_or_footage(
    exported: Folder, settings_of: Callable, footage: Path, tmp_path: Path
) -> None:
    folder = exported("decoder")
    train(folder, footage, settings_of(folder, steps=1))
    with pytest.raises(UserError, match=r"seed is 1, but this training was begun with 0"):
        train(folder, footage, settings_of(folder, seed=1))
    config = DecoderConfig.load(folder / "config.json")
    stages = (*config.stages[:-1], replace(config.stages[-1], width=12))
    wider = exported("wider", replace(config, stages=stages))
    TrainingFiles(folder).folder.rename(TrainingFiles(wider).folder)
    with pytest.raises(UserError, match=r"another design .*: up_blocks.3\S+ is 8x16x3x3, not 12x16x3x3"):
        train(wider, footage, settings_of(wider))
    TrainingFiles(wider).folder.rename(TrainingFiles(folder).folder)
    with pytest.raises(UserError, match=r"was begun on .*footage.*, not on .*other"):
        train(folder, tmp_path / "other", settings_of(folder))


def test_a_design_for_other_latents_is_refused(
    exported: Folder, settings_of: Callable, footage: Path
) -> None:
    folder = exported("decoder", design("turbo-vaed-ltx").narrowed(0.05, minimum=4))
    with pytest.raises(UserError, match=r"is for 128 channels at 8x32x32, .* has 16 channels at 4x8x8"):
        train(folder, footage, settings_of(folder))
