"""Every block of a decoder in the form for GPUs against its plain form, in fp32."""

import copy

import pytest
import torch

from search_space import DecoderConfig, Stage, build_decoder
from search_space.operators import CONVOLUTIONS, UPSAMPLERS


def _compare(config: DecoderConfig) -> None:
    from nas.channels_last import compute_channels_last

    torch.manual_seed(0)
    plain = build_decoder(config).cuda()
    ours = compute_channels_last(copy.deepcopy(plain))
    clip = torch.randn(2, config.latent_channels, 2, 6, 5).cuda()
    # Block by block: through all of them, rounding can turn a ReLU on that is off in the other.
    for (name, block), (_, our_block) in zip(plain.blocks(), ours.blocks(), strict=True):
        clip = clip.detach().requires_grad_()
        wanted, computed = block(clip), our_block(clip)
        gradient = torch.randn_like(wanted)
        theirs = torch.autograd.grad(wanted, [clip, *block.parameters()], gradient)
        gradients = torch.autograd.grad(computed, [clip, *our_block.parameters()], gradient)
        for mine, other in zip((computed, *gradients), (wanted, *theirs), strict=True):
            assert mine.shape == other.shape
            error = torch.linalg.vector_norm(mine - other)
            assert error <= 1e-5 * torch.linalg.vector_norm(other), (name, tuple(other.shape))
        clip = wanted


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("padding", ["symmetric", "causal"])
def test_every_convolution_is_equal(conv: str, padding: str) -> None:
    stages = (
        Stage(24, 1, "spatial" if conv == "dense" else conv),
        Stage(24, 0, "spatial"),
        Stage(12, 1, conv, "decoupled_pixel_shuffle", doubles_time=True),
        Stage(12, 1, conv, "nearest", doubles_time=True),
        Stage(8, 1, conv, "nearest"),
    )
    _compare(DecoderConfig(latent_channels=16, stages=stages, time_padding=padding))


@pytest.mark.parametrize("upsampler", UPSAMPLERS)
@pytest.mark.parametrize("keeps_first_frames", [False, True])
def test_every_upsampler_is_equal(upsampler: str, keeps_first_frames: bool) -> None:
    without_time = UPSAMPLERS[upsampler].without_time or upsampler
    stages = (
        Stage(16, 0, "spatial"),
        Stage(16, 1, "spatial"),
        Stage(16, 0, "spatial", upsampler, doubles_time=True),
        Stage(12, 0, "spatial", upsampler, doubles_time=True),
        Stage(16, 0, "spatial", without_time),
    )
    _compare(
        DecoderConfig(latent_channels=16, stages=stages, patch_size=2, keeps_first_frames=keeps_first_frames)
    )
