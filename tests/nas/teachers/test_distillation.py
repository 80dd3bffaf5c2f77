"""Every class of teacher as one that a full training learns from."""

from pathlib import Path

import pytest
import torch

from nas.teachers import load_teacher
from nas.training.settings import TeacherSettings, load_training
from nas.training.student import build_student
from search_space import build_decoder, design

DESIGNS = {
    "wan": "turbo-vaed-hunyuan",
    "wan2.2": "turbo-vaed-hunyuan-for-wan2.2",
    "hunyuan": "turbo-vaed-hunyuan",
    "cogvideox": "turbo-vaed-cog",
    "ltx": "turbo-vaed-ltx",
    "ltx-0.9.5": "turbo-vaed-ltx",
    "dc": "turbo-vaed-dc",
}


@pytest.mark.parametrize("name", DESIGNS)
def test_blocks_of_any_teacher_are_compared_with_the_students(name: str, small_models: Path) -> None:
    teacher = load_teacher(small_models / name)
    frames = teacher.frames(9)
    side = 2 * teacher.compression[1]
    clip = torch.rand(1, 3, frames, side, side).mul(2).sub(1)
    mean, std = teacher.posterior(clip)
    assert torch.equal(mean, teacher.encode(clip))
    assert std.shape == mean.shape
    assert (std >= 0).all()

    blocks = ("mid_block", "up_block_0", "up_block_1")
    found = teacher.features(mean, blocks)
    _, all_of_them = teacher.decode_features(mean)
    assert all(torch.equal(found[block], all_of_them[block]) for block in blocks)

    config = design(DESIGNS[name]).narrowed(0.02, minimum=4)
    settings = load_training("cpu", TeacherSettings(name=name))
    pairs = tuple((ours, theirs) for ours in ("mid_block", "up_block_2") for theirs in blocks)
    features = settings.features.model_copy(update={"blocks": pairs})
    student = build_student(
        build_decoder(config), teacher, settings.model_copy(update={"features": features}), mean
    )
    video, projected = student(mean, [found[theirs].shape[2:] for _, theirs in pairs])
    assert video.shape == clip.shape
    assert [feature.shape for feature in projected] == [found[theirs].shape for _, theirs in pairs]
