"""Residual streams that only fp32 holds: rescaled, the program's video is that of fp32 in fp16 too."""

import copy

import pytest
import torch
from lowered_designs import small_design

from nas.lowering import LOWERINGS, lower
from nas.lowering.conversion import convert
from nas.lowering.package import save_package
from nas.lowering.rescaling import LARGEST, fit_to_fp16, trial_latents
from nas.lowering.streaming import stream_lowered
from search_space import build_decoder
from search_space.decoder import ResidualBlock
from tests.nas import mil_interpreter

DESIGNS = [
    ("dense", "decoupled_pixel_shuffle", 2),
    ("dw5", "pixel_shuffle", 4),
    ("factored", "transposed", 1),
    ("two_frame", "bilinear_grow", 1),
]
LATENT = (1, 4, 2, 2, 3)
TRIAL = trial_latents(small_design(*DESIGNS[0]))


def grown(operators, growth, parts=("conv2", "conv_shortcut")):
    """A decoder in which all that residual blocks write is `growth` times what initialisation gives."""
    torch.manual_seed(0)
    decoder = build_decoder(small_design(*operators, time_padding="causal")).eval()
    with torch.no_grad():
        for block in decoder.modules():
            if isinstance(block, ResidualBlock):
                for part in parts:
                    # The last of two convolutions in a row: growing both would square the growth.
                    own = list(getattr(block, part).parameters())[-2:] if hasattr(block, part) else []
                    for parameter in own:
                        parameter *= growth
    return decoder


@pytest.mark.parametrize(
    ("operators", "growth", "lowering"),
    [
        (DESIGNS[0], 1e5, "conv3d"),
        (DESIGNS[1], 1e5, "shifted_2d"),
        (DESIGNS[2], 1e3, "conv3d"),
        (DESIGNS[3], 1e5, "shifted_2d"),
    ],
)
def test_a_grown_stream_fits(operators, growth, lowering):
    lowered = lower(grown(operators, growth), lowering)
    rescaled = fit_to_fp16(lowered, TRIAL)
    latent = torch.randn(LATENT).half().float()
    with torch.no_grad():
        video, same = lowered(latent), rescaled(latent)
    torch.testing.assert_close(same, video, atol=1e-5, rtol=1e-5)
    program = convert(rescaled, {"latent": LATENT}, outputs=["video"])
    in_fp16 = mil_interpreter.run(program, {"latent": latent}, torch.float16)["video"]
    assert (in_fp16 - video).square().mean().sqrt() < 0.01 * video.std()
    zero = mil_interpreter.run(program, {"latent": torch.zeros(LATENT)}, torch.float16)["video"]
    assert zero.isfinite().all()


def test_without_it_fp16_overflows():
    lowered = lower(grown(DESIGNS[0], 1e5), "conv3d")
    program = convert(lowered, {"latent": LATENT}, outputs=["video"])
    video = mil_interpreter.run(program, {"latent": torch.randn(LATENT)}, torch.float16)["video"]
    assert not video.isfinite().all()


@pytest.mark.parametrize(
    ("operators", "lowering"), list(zip(DESIGNS, LOWERINGS * 2, strict=True)), ids=lambda value: str(value)
)
def test_so_does_what_lies_inside_a_block(operators, lowering):
    """Every weight but the last convolution's: first ones of two in a row, upsamplers, the first of all."""
    decoder = grown(operators, 1)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            if "norm" not in name and not name.startswith("conv_out"):
                parameter *= 300
    lowered = lower(decoder, lowering)
    before = copy.deepcopy(lowered.state_dict())
    rescaled = fit_to_fp16(lowered, TRIAL)
    for latent in TRIAL:
        with torch.no_grad():
            torch.testing.assert_close(rescaled(latent), lowered(latent), atol=1e-5, rtol=1e-5)
            x = latent
            for block in rescaled.chain:
                x = block(x)
                assert x.abs().max() <= LARGEST * 1.01
            in_fp16 = copy.deepcopy(rescaled).half()(latent.half())
        assert in_fp16.isfinite().all()
    assert all(torch.equal(value, before[name]) for name, value in lowered.state_dict().items())


def test_what_fits_is_left_as_it_is():
    lowered = lower(grown(DESIGNS[0], 1), "conv3d")
    assert fit_to_fp16(lowered, TRIAL) is lowered


def test_it_streams_to_the_same_frames():
    decoder = grown(DESIGNS[0], 1e5)
    rescaled = fit_to_fp16(lower(decoder, "shifted_2d"), TRIAL)
    latent = torch.randn(LATENT)
    frames = latent[0].transpose(0, 1)
    with torch.no_grad():
        whole = rescaled(latent)
        first, *states = stream_lowered(copy.deepcopy(rescaled), True)(frames[:1])
        later, *_ = stream_lowered(rescaled, False)(frames[1:], *states)
    torch.testing.assert_close(torch.cat([first, later]).transpose(0, 1)[None], whole, atol=1e-5, rtol=1e-5)


def test_packaging_says_where_even_that_does_not_help(tmp_path, caplog):
    decoder = grown(DESIGNS[0], 1)
    with torch.no_grad():
        decoder.conv_out.conv.weight *= 1e7  # a video, which must keep its scale, beyond fp16
    save_package(decoder, "conv3d", LATENT, tmp_path / "decoder.mlpackage")
    assert "is not fit for fp16: on trial latents its video is not finite in fp16" in caplog.text
