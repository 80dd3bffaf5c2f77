"""Each convolution and upsampler against the textbook operator that it stands for."""

import pytest
import torch
from torch.nn import functional as F

from search_space import CONVOLUTIONS, UPSAMPLERS
from search_space.convolutions import build_convolution
from search_space.upsamplers import Upsampling, build_upsampler


@pytest.fixture
def clip() -> torch.Tensor:
    return torch.randn(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_keep_time_height_and_width(clip, name, causal):
    for shortcut in (False, True):
        convolved = build_convolution(name, 3, 8, causal, shortcut)(clip)
        assert convolved.shape == (2, 8, 4, 5, 6)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_shortcut_maps_each_pixel_by_itself(clip, name):
    shortcut = build_convolution(name, 3, 8, causal=False, shortcut=True)
    pixel = clip[:, :, 2:3, 1:2, 4:5]
    torch.testing.assert_close(shortcut(pixel), shortcut(clip)[:, :, 2:3, 1:2, 4:5])


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_causal_convolutions_see_no_later_frame(clip, name):
    convolution = build_convolution(name, 3, 8, causal=True)
    later = clip.clone()
    later[:, :, 2:] += 1
    torch.testing.assert_close(convolution(later)[:, :, :2], convolution(clip)[:, :, :2])


def test_two_frame_is_a_3d_convolution_over_the_frame_before_and_this_one(clip):
    convolution = build_convolution("two_frame", 3, 8, causal=False)
    now, before = convolution.conv.weight.chunk(2, dim=1)
    padded = F.pad(torch.cat([clip[:, :, :1], clip], dim=2), (1, 1, 1, 1))
    expected = F.conv3d(padded, torch.stack([before, now], dim=2), convolution.conv.bias)
    torch.testing.assert_close(convolution(clip), expected)


@pytest.mark.parametrize("causal", [False, True])
def test_factored_is_a_spatial_then_a_temporal_3d_convolution(clip, causal):
    convolution = build_convolution("factored", 3, 8, causal)
    spatial, temporal = convolution.spatial_conv, convolution.temporal_conv
    frames = F.conv3d(clip, spatial.weight.unsqueeze(2), spatial.bias, padding=(0, 1, 1))
    first, last = frames[:, :, :1], frames[:, :, -1:]
    padded = torch.cat([first, first, frames] if causal else [first, frames, last], dim=2)
    expected = F.conv3d(padded, temporal.weight.unsqueeze(-1), temporal.bias)
    torch.testing.assert_close(convolution(clip), expected)


def upsampling(doubles_time: bool, keeps_first_frame: bool = False, out_channels: int = 3) -> Upsampling:
    return Upsampling(3, out_channels, doubles_time, keeps_first_frame, causal=False)


@pytest.mark.parametrize("name", UPSAMPLERS)
def test_upsamplers_double_the_size_and_where_asked_time(clip, name):
    out_channels = 5 if UPSAMPLERS[name].changes_width else 3
    for doubles_time, keeps_first_frame, frames in ((False, False, 4), (True, False, 7), (True, True, 8)):
        if doubles_time or not UPSAMPLERS[name].without_time:
            asked = upsampling(doubles_time, keeps_first_frame, out_channels)
            assert build_upsampler(name, asked)(clip).shape == (2, out_channels, frames, 10, 12)


def test_pixel_shuffle_is_the_permutation_of_eight_axes(clip):
    upsampler = build_upsampler("pixel_shuffle", upsampling(doubles_time=True))
    blocks = upsampler.conv(clip).reshape(2, 3, 2, 2, 2, 4, 5, 6)  # B, C, st, sh, sw, T, H, W
    expected = blocks.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(2, 3, 8, 10, 12)[:, :, 1:]
    torch.testing.assert_close(upsampler(clip), expected)


def test_transposed_is_a_3d_transposed_convolution(clip):
    upsampler = build_upsampler(
        "transposed", upsampling(doubles_time=True, keeps_first_frame=True, out_channels=5)
    )
    weight = upsampler.conv.weight.reshape(3, 2, 5, 4, 4).transpose(1, 2)
    upsampler.conv.bias.data.zero_()
    expected = F.conv_transpose3d(clip, weight, stride=2, padding=(0, 1, 1))
    torch.testing.assert_close(upsampler(clip), expected)


@pytest.mark.parametrize("resize", ["nearest", "bilinear"])
def test_interpolation_repeats_frames_or_grows_them_as_if_after_the_resize(clip, resize):
    kept = clip.transpose(1, 2).flatten(0, 1)

    repeat = build_upsampler(resize, upsampling(doubles_time=True, keeps_first_frame=True))
    twice = kept.repeat_interleave(2, dim=0)
    expected = repeat.conv(F.interpolate(twice, scale_factor=2, mode=resize)).reshape(2, 8, 3, 10, 12)
    torch.testing.assert_close(repeat(clip), expected.transpose(1, 2))

    grow = build_upsampler(f"{resize}_grow", upsampling(doubles_time=True))
    grown = grow.grow(F.interpolate(kept, scale_factor=2, mode=resize)).reshape(16, 3, 10, 12)
    expected = grow.conv(grown).reshape(2, 8, 3, 10, 12)[:, 1:]
    torch.testing.assert_close(grow(clip), expected.transpose(1, 2), atol=1e-5, rtol=1e-4)
