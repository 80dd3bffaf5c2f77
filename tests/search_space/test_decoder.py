"""Decoders of every kind: what they return, that they are their chain of blocks, and what they look at."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from search_space import CONVOLUTIONS, UPSAMPLERS, DecoderConfig, Stage, build_decoder, design


def decoder_config(conv: str = "dense", upsampler: str = "nearest", **changes) -> DecoderConfig:
    """A small decoder of one convolution and one upsampler, (4, 8, 8) with patch 1."""
    without_time = UPSAMPLERS[upsampler].without_time or upsampler
    stages = (
        Stage(16, 1, conv),
        Stage(16, 0, conv),
        Stage(12, 1, conv, upsampler, doubles_time=True),
        Stage(8, 2, conv, upsampler, doubles_time=True),
        Stage(4, 1, conv, without_time),
    )
    return DecoderConfig(**{"latent_channels": 4, "stages": stages} | changes)


ALL_OPERATORS = [
    *(pytest.param({"conv": conv}, id=conv) for conv in CONVOLUTIONS),
    *(pytest.param({"upsampler": upsampler}, id=upsampler) for upsampler in UPSAMPLERS),
]


class LargestRank(TorchDispatchMode):
    """Keeps the largest number of axes of any tensor that an operator gives."""

    rank = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.rank = max(self.rank, result.ndim)
        return result


@pytest.mark.parametrize("operators", ALL_OPERATORS)
@pytest.mark.parametrize("time_padding", ["symmetric", "causal"])
def test_forward_is_the_chain_of_blocks_and_stays_within_five_axes(operators, time_padding):
    config = decoder_config(**operators, time_padding=time_padding)
    decoder = build_decoder(config).eval()
    latent = torch.randn(2, 4, 3, 4, 5)
    with torch.no_grad(), LargestRank() as largest:
        video, features = decoder(latent, return_features=True)
        clip = latent
        for _, block in decoder.blocks():
            clip = block(clip)
    torch.testing.assert_close(clip, video, atol=0, rtol=0)
    assert video.shape == (2, 3, 9, 32, 40)
    assert {name: feature.shape[1] for name, feature in features.items()} == {
        "mid_block": 16,
        "up_block_0": 16,
        "up_block_1": 12,
        "up_block_2": 8,
        "up_block_3": 4,
    }
    assert largest.rank == 5


def test_blocks_have_the_names_of_their_parameters():
    decoder = build_decoder(design("turbo-vaed-ltx").narrowed(1 / 8))
    modules = dict(decoder.named_modules())
    names = [name for name, _ in decoder.blocks()]
    assert all(modules[name] is block for name, block in decoder.blocks())
    assert names[:4] == ["conv_in", "mid_block.resnets.0", "up_blocks.0.resnets.0", "up_blocks.1.conv_in"]
    assert names[-3:] == ["upsampler2d_1", "upsampler2d_2", "conv_out"]
    parameters = {name for name, _ in decoder.named_parameters()}
    owned = {f"{name}.{key}" for name, block in decoder.blocks() for key, _ in block.named_parameters()}
    assert owned == parameters


@pytest.mark.parametrize("operators", ALL_OPERATORS)
def test_a_causal_decoder_shows_no_frame_of_a_later_latent(operators):
    config = decoder_config(**operators, time_padding="causal")
    decoder = build_decoder(config).eval()
    latent = torch.randn(1, 4, 4, 3, 3)
    changed = latent.clone()
    changed[:, :, 2:] += 1
    unchanged = config.frames(2)
    with torch.no_grad():
        video, other = decoder(latent), decoder(changed)
    torch.testing.assert_close(video[:, :, :unchanged], other[:, :, :unchanged], atol=1e-6, rtol=0)
    assert not torch.allclose(video[:, :, unchanged:], other[:, :, unchanged:])


@pytest.mark.parametrize("operators", ALL_OPERATORS)
def test_every_parameter_is_trained(operators):
    decoder = build_decoder(decoder_config(**operators))
    decoder(torch.randn(1, 4, 2, 3, 3)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in decoder.parameters())


# Two decoders that have every operator between them, for what takes a second a decoder.
MIXED = [
    (
        Stage(16, 1, "dense"),
        Stage(16, 1, "dw5", "decoupled_pixel_shuffle"),
        Stage(12, 1, "spatial", "pixel_shuffle", doubles_time=True),
        Stage(8, 1, "two_frame", "transposed", doubles_time=True),
        Stage(4, 1, "factored", "bilinear"),
    ),
    (
        Stage(16, 1, "dw3"),
        Stage(16, 1, "dw7", "decoupled_pixel_shuffle", doubles_time=True),
        Stage(16, 1, "dw7", "nearest_grow", doubles_time=True),
        Stage(12, 1, "dw3", "bilinear_grow", doubles_time=True),
        Stage(4, 1, "dense", "nearest"),
    ),
]


@pytest.mark.parametrize("stages", MIXED)
def test_every_operator_exports(stages):
    decoder = build_decoder(DecoderConfig(4, stages, patch_size=2, time_padding="causal")).eval()
    latent = torch.randn(1, 4, 2, 3, 3)
    exported = torch.export.export(decoder, (latent,)).module()
    torch.testing.assert_close(exported(latent), decoder(latent))


@pytest.mark.parametrize("keeps_first_frames", [False, True])
@pytest.mark.parametrize(
    ("patch_size", "upsampled", "doubled"),
    [
        (1, (1, 2, 3), (2, 3)),  # (4, 8, 8)
        (2, (2, 3), (2, 3)),
        (1, (0, 1, 2, 3), (0, 1)),  # (4, 16, 16)
        (2, (1, 2, 3), (1, 3)),
        (4, (2, 3), (2, 3)),
        (2, (0, 1, 2, 3), (1, 2)),  # (4, 32, 32)
        (4, (1, 2, 3), (2, 3)),
        (2, (0, 1, 2, 3), (0, 1, 2)),  # (8, 32, 32)
        (4, (1, 2, 3), (1, 2, 3)),
    ],
)
def test_frames_and_size_follow_the_compression(patch_size, upsampled, doubled, keeps_first_frames):
    ups = [Stage(16, 0, "spatial", "nearest" if i in upsampled else None, i in doubled) for i in range(4)]
    config = DecoderConfig(
        5, (Stage(16, 0, "spatial"), *ups), patch_size, keeps_first_frames=keeps_first_frames
    )
    time, height, width = config.compression
    with torch.device("meta"):
        decoder = build_decoder(config)
        for latent_frames in range(1, 5):
            frames = time * latent_frames if keeps_first_frames else time * (latent_frames - 1) + 1
            video = decoder(torch.empty(1, 5, latent_frames, 2, 3))
            assert config.frames(latent_frames) == frames
            assert video.shape == (1, 3, frames, 2 * height, 3 * width)
            assert config.latent_frames(frames) == latent_frames
            assert config.latent_frames(frames + 1) == latent_frames + 1


# Millions of parameters, TFLOP for 17 frames of 512x512: counted on their own code, 2 FLOPs a multiply-add.
@pytest.mark.parametrize(("name", "millions", "tflop"), [("taehv", 9.8, 1.79), ("flash-vaed-wan", 5.9, 1.32)])
def test_designs_of_others_cost_what_theirs_do(name, millions, tflop):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        decoder = build_decoder(design(name))
        decoder(torch.empty(1, 16, 5, 64, 64))
    assert sum(p.numel() for p in decoder.parameters()) / 1e6 == pytest.approx(millions, rel=0.05)
    assert counter.get_total_flops() / 1e12 == pytest.approx(tflop, rel=0.05)
