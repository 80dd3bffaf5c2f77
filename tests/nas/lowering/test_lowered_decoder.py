"""A lowered decoder computes what the decoder computes, in either lowering, as a chain of its blocks."""

import pytest
import torch
from lowered_designs import EVERY_OPERATOR, small_design
from torch.utils._python_dispatch import TorchDispatchMode

from nas.lowering import LOWERINGS, lower
from search_space import build_decoder
from search_space.errors import UserError


def initialised(config):
    """A decoder in whose every parameter an error would show: biases and norms aren't 0 and 1."""
    torch.manual_seed(0)
    decoder = build_decoder(config).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) / 4)
    return decoder


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("operators", EVERY_OPERATOR, ids=lambda operators: "-".join(map(str, operators)))
@pytest.mark.parametrize(
    "time", [{"time_padding": "causal"}, {"keeps_first_frames": True}], ids=["causal", "kept"]
)
def test_it_gives_the_same_video(operators, time, lowering):
    decoder = initialised(small_design(*operators, **time))
    latent = torch.randn(1, 4, 3, 3, 4)
    with torch.no_grad():
        torch.testing.assert_close(lower(decoder, lowering)(latent), decoder(latent), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_one_latent_frame(lowering):
    decoder = initialised(small_design("two_frame", "nearest", 1))
    latent = torch.randn(1, 4, 1, 3, 4)
    with torch.no_grad():
        torch.testing.assert_close(lower(decoder, lowering)(latent), decoder(latent), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_stages_chain_to_the_decoder_and_own_its_parameters(lowering):
    decoder = initialised(small_design("dw3", "pixel_shuffle", 2))
    lowered = lower(decoder, lowering)
    x = latent = torch.randn(1, 4, 2, 3, 4)
    with torch.no_grad():
        for _, blocks in lowered.stages():
            for _, block in blocks:
                x = block(x)
        torch.testing.assert_close(x, lowered(latent), atol=0, rtol=0)
    assert [stage for stage, _ in lowered.stages()] == [stage for stage, _ in decoder.stages()]
    named = dict(decoder.blocks())
    for _, blocks in lowered.stages():
        for name, block in blocks:
            trained = named[name].parameters() if name in named else ()
            assert sum(p.numel() for p in block.parameters()) == sum(p.numel() for p in trained), name
    changes = [name for _, blocks in lowered.stages() for name, _ in blocks if name not in named]
    expected = {
        "conv3d": [
            "up_blocks.2.conv_in.to_clip",
            "up_blocks.2.resnets.0.to_clip",
            "up_blocks.3.resnets.0.to_clip",
            "upsampler2d_1.to_frames",
            "conv_out.to_clip",
        ],
        "shifted_2d": ["conv_in.to_frames", "to_clip"],
    }
    assert changes == expected[lowering]


class LargestRank(TorchDispatchMode):
    """Keeps the largest number of axes of any tensor that an operator gives."""

    rank = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.rank = max(self.rank, result.ndim)
        return result


def test_shifted_2d_has_no_tensor_of_rank_5_inside_and_is_built_on_meta_tensors():
    with torch.device("meta"):
        lowered = lower(build_decoder(small_design("dw5", "decoupled_pixel_shuffle", 2)), "shifted_2d")
        x = torch.empty(1, 4, 2, 8, 8)
    x = lowered.chain[0](x)
    with LargestRank() as largest:
        for block in lowered.chain[1:-1]:
            x = block(x)
    assert lowered.chain[-1](x).shape == (1, 3, 5, 128, 128)
    assert largest.rank == 4


def test_an_unknown_lowering_is_named():
    with torch.device("meta"):
        decoder = build_decoder(small_design("spatial", "nearest", 1))
    with pytest.raises(UserError, match="'conv2d': known are conv3d, shifted_2d"):
        lower(decoder, "conv2d")
