"""Every block of a decoder in the form for training against its plain form, in fp32."""

import copy
import importlib.util

import pytest
import torch

from nas.channels_last import compute_channels_last
from search_space import DecoderConfig, Stage, build_decoder
from search_space.operators import CONVOLUTIONS, UPSAMPLERS


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each in turn, CUDA where its kernels run, with fp32 convolutions computed in fp32."""
    if request.param == "cuda":
        if not torch.cuda.is_available() or importlib.util.find_spec("triton") is None:
            pytest.skip("Triton's kernels need a CUDA GPU and Triton")
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
        monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    return str(request.param)


def _compare(config: DecoderConfig, device: str) -> None:
    torch.manual_seed(0)
    plain = build_decoder(config).to(device)
    ours = compute_channels_last(copy.deepcopy(plain))
    clip = torch.randn(2, config.latent_channels, 2, 6, 5).to(device)
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
def test_every_convolution_is_equal(conv: str, padding: str, device: str) -> None:
    stages = (
        Stage(24, 1, "spatial" if conv == "dense" else conv),
        Stage(24, 0, "spatial"),
        Stage(12, 1, conv, "decoupled_pixel_shuffle", doubles_time=True),
        Stage(12, 1, conv, "nearest", doubles_time=True),
        Stage(8, 1, conv, "nearest"),
    )
    _compare(DecoderConfig(latent_channels=16, stages=stages, time_padding=padding), device)


@pytest.mark.parametrize("upsampler", UPSAMPLERS)
@pytest.mark.parametrize("keeps_first_frames", [False, True])
def test_every_upsampler_is_equal(upsampler: str, keeps_first_frames: bool, device: str) -> None:
    without_time = UPSAMPLERS[upsampler].without_time or upsampler
    stages = (
        Stage(16, 0, "spatial"),
        Stage(16, 1, "spatial"),
        Stage(16, 0, "spatial", upsampler, doubles_time=True),
        Stage(12, 0, "spatial", upsampler, doubles_time=True),
        Stage(16, 0, "spatial", without_time),
    )
    config = DecoderConfig(
        latent_channels=16, stages=stages, patch_size=2, keeps_first_frames=keeps_first_frames
    )
    _compare(config, device)
