"""Video DC-AE has the size and shapes that were published, and is a teacher."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from nas.teachers import Teacher, load_teacher
from nas.teachers.dc_ae import VideoDCAEDecoder
from nas.teachers.dc_ae.blocks import Averaging, Duplicating
from search_space.errors import UserError


def _decoder() -> VideoDCAEDecoder:
    with torch.device("meta"):
        return VideoDCAEDecoder()


def test_the_decoder_has_the_published_number_of_parameters() -> None:
    # 239.0 M: arXiv 2508.09136, table 1.
    assert sum(parameter.numel() for parameter in _decoder().parameters()) == 239_022_211


def test_a_clip_grows_in_time_and_space_and_a_single_latent_in_space_only() -> None:
    decoder = _decoder()
    clip = torch.empty(1, 128, 4, 2, 3, device="meta")
    assert decoder(clip).shape == (1, 3, 16, 64, 96)
    assert decoder(clip[:, :, :1]).shape == (1, 3, 1, 64, 96)


def test_the_first_blocks_are_as_wide_as_the_published_students_are_projected(shared: Path) -> None:
    published = json.loads((shared / "facts/Turbo-VAED-DC.json").read_text())
    decoder, widths = _decoder(), []
    x = torch.empty(1, 128, 4, 2, 3, device="meta")
    for block in (decoder.mid_block, *decoder.up_blocks[:2]):
        x = block(x)
        widths.append(x.shape[1])
    assert widths == [teacher for _, teacher in published["aligned_feature_projection_dim"]]


class Nothing(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1)


@pytest.mark.parametrize("time", [1, 2])
def test_the_shortcut_of_an_upsampler_repeats_every_latent_as_its_pixels(time: int) -> None:
    x = torch.rand(1, 2, 2, 3, 3)
    grown = Duplicating(2, 2, (time, 2, 2), Nothing())(x)
    repeated = x.repeat_interleave(time, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    assert torch.equal(grown, repeated)


@pytest.mark.parametrize("time", [1, 2])
def test_the_shortcut_of_a_downsampler_averages_and_is_undone_where_it_only_moves(time: int) -> None:
    x, scale = torch.rand(1, 2, 4, 6, 6), (time, 2, 2)
    pooled = torch.nn.functional.avg_pool3d(x, scale)
    torch.testing.assert_close(Averaging(2, 2, scale, Nothing())(x), pooled)
    moved = Averaging(2, 8 * time, scale, Nothing())(x)
    assert torch.equal(Duplicating(8 * time, 2, scale, Nothing())(moved), x)


@pytest.fixture(scope="module")
def teacher(small_models: Path) -> Teacher:
    return load_teacher(small_models / "dc")


def test_four_frames_are_a_latent_and_two_latents_the_shortest_clip(teacher: Teacher) -> None:
    assert (teacher.latent_channels, teacher.compression) == (128, (4, 32, 32))
    assert teacher.keeps_first_frames
    assert [teacher.frames(n) for n in (8, 11, 17)] == [8, 8, 16]
    with pytest.raises(UserError, match="of 7 frames or fewer"):
        teacher.frames(7)
    with pytest.raises(UserError, match="drops frames of a clip of 17: give one of 16"):
        teacher.encode(torch.zeros(1, 3, 17, 32, 32))


def test_latents_video_and_features_of_a_clip(teacher: Teacher) -> None:
    clips = torch.rand(2, 3, 8, 32, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, std = teacher.posterior(clips)
    assert mean.shape == (2, 128, 2, 1, 2)
    assert not std.any()
    assert torch.equal(teacher.encode(clips), mean)
    video, features = teacher.decode_features(mean)
    assert video.shape == clips.shape
    assert {name: tuple(feature.shape[1:]) for name, feature in features.items()} == {
        "mid_block": (128, 2, 1, 2),
        "up_block_0": (128, 2, 1, 2),
        "up_block_1": (64, 4, 2, 4),
        "up_block_2": (32, 8, 4, 8),
        "up_block_3": (16, 8, 8, 16),
        "up_block_4": (8, 8, 16, 32),
        "up_block_5": (8, 8, 32, 64),
    }
    assert teacher.statistics.std.tolist() == pytest.approx([0.493] * 128)


def test_weights_and_sizes_that_do_not_fit_are_refused(small_models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_models / "dc", tmp_path / "dc")
    config = json.loads((folder / "config.json").read_text())
    for changes, complaint in (
        ({"widths": [16, 8, 16, 32, 64, 128]}, r"encoder\.project_in\.conv\.weight is 8x3x3x3x3, not 16x"),
        (
            {"widths": [8, 8, 16, 33, 64, 128]},
            "configuration of Video DC-AE.*16 channels can't be averaged to 33",
        ),
        ({"depth": 3}, "configuration of Video DC-AE.*depth: Extra inputs"),
    ):
        (folder / "config.json").write_text(json.dumps(config | changes))
        with pytest.raises(UserError, match=complaint):
            load_teacher(folder)
