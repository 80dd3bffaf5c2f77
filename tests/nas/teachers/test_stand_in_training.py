"""The stand-in's training, tiny: it goes on where it stopped, and what it exports is a teacher."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nas.teachers import load_teacher
from nas.teachers.stand_in import evaluate, train
from nas.teachers.stand_in.moving_pictures import Footage


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs and a shot of ten frames in each part."""
    folder = tmp_path_factory.mktemp("footage")
    random = np.random.default_rng(0)
    for part in ("train", "held-out"):
        (folder / part / "shot").mkdir(parents=True)
        pictures = [folder / part / f"{name}.webp" for name in ("one", "two")]
        for path in pictures + [folder / part / "shot" / f"{frame:04d}.webp" for frame in range(10)]:
            coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(path)
    return folder


def test_a_seed_draws_the_same_clips(footage: Path) -> None:
    scenes = Footage(footage / "train")
    clips = scenes.batch(3, size=4, frames=5, side=32, shots=0.5)
    assert clips.shape == (4, 3, 5, 32, 32)
    assert clips.dtype == torch.uint8
    assert clips.equal(scenes.batch(3, size=4, frames=5, side=32, shots=0.5))
    assert not clips.equal(scenes.batch(4, size=4, frames=5, side=32, shots=0.5))


def test_trains_goes_on_and_exports(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = train.Recipe(width=4, frames=5, side=32, batch=2)
    for name, value in (("CLIPS", 1), ("FRAMES", (5,)), ("SIDE", 32)):
        monkeypatch.setattr(evaluate, name, value)
    checkpoint, cpu = tmp_path / "checkpoint.pt", torch.device("cpu")
    train.train(recipe, footage, checkpoint, 1, cpu)
    first = torch.load(checkpoint, weights_only=True)
    train.train(recipe, footage, checkpoint, first["seconds"] + 1, cpu)
    assert 0 < first["step"] < torch.load(checkpoint, weights_only=True)["step"]

    train.export(recipe, footage, checkpoint, tmp_path / "model", cpu)
    teacher = load_teacher("wan", weights=str(tmp_path / "model"))
    latent = teacher.encode(torch.zeros(1, 3, 9, 32, 32))
    assert latent.shape == (1, 16, 3, 4, 4)
    assert all(size > 0 for size in teacher.vae.config.latents_std)
