import pytest
import torch
from torch import nn

from nas.costs import load_device
from nas.costs.blocks import Design
from nas.costs.coreml import coreml
from nas.costs.hardware import hardware
from nas.costs.operations import peak_activations
from nas.costs.roofline import chain_ms
from nas.costs.streaming import streaming_blocks
from nas.lowering import LOWERINGS
from nas.lowering.conversion import ConversionError
from nas.lowering.streaming import why_not_streamable
from search_space import CONVOLUTIONS, UPSAMPLERS, DecoderConfig, Stage
from search_space.decoder import ResidualBlock

PHONE = hardware(load_device("iphone-16-pro"))

# Each convolution once and each upsampler once, with and without a change of width and of time, all patches.
DESIGNS = {
    f"{conv}, {upsampler}": DecoderConfig(
        8,
        (
            Stage(16, 0, conv),
            Stage(16, 0, conv),
            Stage(16, 0, conv),
            Stage(24, 0, conv, "decoupled_pixel_shuffle"),
            Stage(16, 1, conv, upsampler, doubles_time=True),
        ),
        patch_size=(1, 2, 4)[index % 3],
        time_padding=("symmetric", "causal")[index % 2],
    )
    for index, (conv, upsampler) in enumerate(zip(CONVOLUTIONS, UPSAMPLERS, strict=True))
}


@pytest.mark.parametrize("form", [*LOWERINGS, "first latent", "later latents"])
@pytest.mark.parametrize("config", DESIGNS.values(), ids=DESIGNS.keys())
def test_every_block_converts_and_the_trace_agrees(config, form):
    design = Design(config)
    latent = (1, config.latent_channels, 3, 8, 8)

    def blocks(source):
        if form in LOWERINGS:
            return design.blocks(latent, source, form, "fused")
        frame = (1, config.latent_channels, 8, 8)
        return streaming_blocks(design.stages, frame, source, "fused", first=form == "first latent")

    if form not in LOWERINGS and why_not_streamable(config):
        pytest.skip("it looks ahead in time")
    for traced, converted in zip(blocks("trace"), blocks("coreml"), strict=True):
        programs = (traced.program, converted.program)
        assert programs[0].output_shape == programs[1].output_shape, traced.name
        assert programs[0].flops == programs[1].flops, traced.name
        assert peak_activations(programs[0]) == peak_activations(programs[1]), traced.name
        times = (chain_ms(programs[:1], PHONE), chain_ms(programs[1:], PHONE))
        assert times[0] == pytest.approx(times[1], rel=0.01), traced.name


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_one_latent_frame_converts(conv):
    with torch.device("meta"):
        block = ResidualBlock(8, 16, conv, causal=False, norm_eps=1e-6)
    assert coreml(block, (1, 8, 1, 8, 8)).output_shape == (1, 16, 1, 8, 8)


class SingularVectors(nn.Module):
    def forward(self, clip):
        return torch.linalg.svd(clip)[0]


def test_what_does_not_convert_says_so_quietly(capfd):
    with pytest.raises(ConversionError, match=r"SingularVectors does not convert to Core ML: .*svd"):
        coreml(SingularVectors(), (1, 4, 4))
    assert capfd.readouterr() == ("", "")


def test_conversion_prints_nothing(capfd):
    coreml(nn.Conv3d(2, 2, 1), (1, 2, 2, 4, 4))
    assert capfd.readouterr() == ("", "")
