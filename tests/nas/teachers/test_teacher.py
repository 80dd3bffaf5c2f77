from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nas.teachers import Teacher, load_teacher
from search_space.errors import UserError

# latent channels, compression, the latent's size for 64x64
MEASURED = {
    "wan": (16, (4, 8, 8), 8),
    "wan2.2": (48, (4, 16, 16), 4),
    "hunyuan": (16, (4, 8, 8), 8),
    "cogvideox": (16, (4, 8, 8), 8),
    "ltx": (128, (8, 32, 32), 2),
    "ltx-0.9.5": (128, (8, 32, 32), 2),
}
# frames of the mid block's and each up block's output for the 5, or for LTX the 3, latents of 17 frames
FEATURE_FRAMES = {
    "wan": [5, 9, 17, 17, 17],
    "wan2.2": [5, 9, 17, 17, 17],
    "hunyuan": [5, 5, 9, 17, 17],
    "cogvideox": [5, 9, 17, 17, 17],
    "ltx": [3, 3, 5, 9, 17],
    "ltx-0.9.5": [3, 5, 9, 17],
}


def _clip(frames: int, size: int = 64) -> Tensor:
    return torch.rand(1, 3, frames, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module", params=MEASURED)
def teacher(request: pytest.FixtureRequest, small_models: Path) -> Teacher:
    return load_teacher(small_models / request.param)


def _kind(teacher: Teacher) -> str:
    return Path(teacher.name).name


def test_channels_and_compression_are_measured(teacher: Teacher) -> None:
    channels, compression, _ = MEASURED[_kind(teacher)]
    assert (teacher.latent_channels, teacher.compression) == (channels, compression)


@pytest.mark.parametrize("frames", [9, 17])
def test_latents_video_and_features_of_a_whole_clip(teacher: Teacher, frames: int) -> None:
    channels, (by_time, _, _), size = MEASURED[_kind(teacher)]
    latent = teacher.encode(_clip(frames))
    assert latent.shape == (1, channels, 1 + (frames - 1) // by_time, size, size)
    with torch.no_grad():
        torch.testing.assert_close(
            latent, teacher.vae.encode(_clip(frames)).latent_dist.mean, atol=1e-5, rtol=0
        )

    video, features = teacher.decode_features(latent)
    assert video.shape == (1, 3, frames, 64, 64)
    torch.testing.assert_close(video, teacher.decode(latent), atol=0, rtol=0)
    assert list(features) == ["mid_block", *(f"up_block_{i}" for i in range(len(features) - 1))]
    if frames == 17:
        assert [feature.shape[2] for feature in features.values()] == FEATURE_FRAMES[_kind(teacher)]


def test_clips_that_run_apart_or_in_pieces_give_the_same_numbers(
    teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = torch.cat([_clip(17, size=32), -_clip(17, size=32)])
    mean, std = teacher.posterior(clips)
    video, features = teacher.decode_features(mean)

    monkeypatch.setattr(teacher, "pixels_at_once", 1)
    encoded: list[int] = []
    hook = teacher.vae.encoder.register_forward_hook(
        lambda _module, inputs, _: encoded.append(inputs[0].shape[2])
    )
    in_pieces = teacher.posterior(clips)
    hook.remove()
    if _kind(teacher) in ("wan", "wan2.2"):
        assert encoded == [1, 4, 4, 4, 4] * 2
    close = partial(torch.testing.assert_close, atol=1e-4, rtol=1e-4)  # features reach 10 and more
    close(in_pieces, (mean, std))
    close(teacher.encode(clips), mean)
    close(teacher.decode(mean), video)
    close(teacher.decode_features(mean), (video, features))
    close(teacher.features(mean, ["up_block_0"]), {"up_block_0": features["up_block_0"]})
    assert {name: feature.shape for name, feature in features.items()} == teacher.feature_shapes(mean.shape)


def test_lengths_that_come_back_whole(teacher: Teacher) -> None:
    lengths = [teacher.frames(n) for n in (9, 12, 13, 16, 17, 24)]
    by_four, by_eight = [9, 9, 13, 13, 17, 21], [9, 9, 9, 9, 17, 17]
    assert lengths == (by_four if _kind(teacher) in ("wan", "wan2.2", "hunyuan") else by_eight)
    with pytest.raises(UserError, match="drops frames of a clip of 12"):
        teacher.encode(_clip(12))


def test_a_size_that_is_no_multiple_of_the_compression_is_refused(small_models: Path) -> None:
    with pytest.raises(UserError, match=r"multiple of 8 .* not 60x60"):
        load_teacher(small_models / "wan").encode(_clip(9, size=60))


def test_cogvideox_video_is_its_head_over_the_joined_features(small_models: Path) -> None:
    teacher = load_teacher(small_models / "cogvideox")
    latent = teacher.encode(_clip(17))
    video, features = teacher.decode_features(latent)
    head, first = teacher.vae.decoder, features["up_block_3"][:, :, :9]  # of the first 3 latents, one batch
    with torch.no_grad():
        hidden, _ = head.norm_out(first, latent[:, :, :3])
        output, _ = head.conv_out(head.conv_act(hidden))
    torch.testing.assert_close(output, video[:, :, :9], atol=1e-5, rtol=0)


@pytest.mark.parametrize("frames", [17, 29, 33])
def test_hunyuan_tiles_are_joined_as_its_video_is(small_models: Path, frames: int) -> None:
    teacher = load_teacher(small_models / "hunyuan")
    latent = teacher.encode(_clip(frames, size=16))
    tiles: list[Tensor] = []
    hook = teacher.vae.decoder.register_forward_hook(lambda *call: tiles.append(call[-1].clone()))
    video, features = teacher.decode_features(latent)
    hook.remove()
    assert len(tiles) > 1
    torch.testing.assert_close(teacher._join(tiles, latent.shape[2]), video, atol=1e-6, rtol=0)
    assert features["mid_block"].shape[2] == latent.shape[2]


def test_statistics_undo_to_the_raw_latents(small_models: Path) -> None:
    wan22 = load_teacher(small_models / "wan2.2").statistics
    assert (wan22.mean.tolist(), wan22.std.tolist()) == ([0.5] * 48, [2.0] * 48)
    hunyuan = load_teacher(small_models / "hunyuan").statistics  # one factor: 0.476986
    torch.testing.assert_close(hunyuan.std, torch.full((16,), 1 / 0.476986))
    assert hunyuan.mean.tolist() == [0.0] * 16
    assert load_teacher(small_models / "ltx").statistics.std.shape == (128,)


def test_the_factor_of_cogvideox_1_5_is_divided_by(small_models: Path, tmp_path: Path) -> None:
    from diffusers import AutoencoderKLCogVideoX

    vae = AutoencoderKLCogVideoX.from_pretrained(small_models / "cogvideox")
    for invert, std in ((False, 1 / 0.7), (True, 0.7)):
        vae.register_to_config(scaling_factor=0.7, invert_scale_latents=invert)
        vae.save_pretrained(tmp_path)
        torch.testing.assert_close(load_teacher(tmp_path).statistics.std, torch.full((16,), std))


def test_a_class_that_keeps_constants_of_its_own_is_measured(tmp_path: Path) -> None:
    from diffusers import AutoencoderKLCosmos

    widths = {"encoder_block_out_channels": (8, 16, 16, 16), "decode_block_out_channels": (16,) * 4}
    AutoencoderKLCosmos(**widths, num_layers=1).save_pretrained(tmp_path)
    teacher = load_teacher(tmp_path)
    assert (teacher.latent_channels, teacher.compression, teacher.frames(16)) == (16, (8, 8, 8), 9)
    assert teacher.decode(teacher.encode(_clip(9))).shape == (1, 3, 9, 64, 64)
