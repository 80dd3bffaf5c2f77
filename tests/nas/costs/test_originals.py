"""The decoders of originals, from their configurations."""

import pytest
import torch

from nas.costs import estimate
from nas.costs.originals import is_original, original
from search_space import design
from search_space.errors import UserError

HUNYUAN = {"_class_name": "AutoencoderKLHunyuanVideo"}
COGVIDEOX = {"_class_name": "AutoencoderKLCogVideoX"}
DC_AE = {"model_name": "dc-ae-f32t4c128"}
LTX = {"_class_name": "AutoencoderKLLTXVideo"}
WAN = {"_class_name": "AutoencoderKLWan"}


@pytest.mark.parametrize(
    ("config", "params", "tflop"),
    [
        # Parameters but Wan's: arXiv 2508.09136, table 1. Work on 17 frames at 512x512: counted on published
        # configurations.
        (HUNYUAN, 146.1, None),
        (COGVIDEOX, 123.4, None),
        (DC_AE, 239.0, None),
        (LTX, 238.8, 4.085),
        (WAN, 73.3, 38.37),
    ],
    ids=["hunyuan", "cogvideox", "dc-ae", "ltx", "wan"],
)
def test_originals_have_their_published_size(config, params, tflop):
    assert is_original(config)
    found = original(config)
    (block,) = found.blocks(found.latent_shape((512, 512), 17), "trace", None, "fused")
    assert block.params / 1e6 == pytest.approx(params, abs=0.05)
    if tflop is not None:
        assert block.program.flops / 1e12 == pytest.approx(tflop, abs=0.005)


@pytest.mark.parametrize(
    ("decoder", "frames", "fits"),
    [
        # On an iPhone 16 Pro at 512x512: arXiv 2508.09136, table 2.
        (HUNYUAN, 17, False),
        (COGVIDEOX, 17, False),
        (DC_AE, 16, False),
        (LTX, 17, True),
        ("turbo-vaed-hunyuan", 17, True),
        ("turbo-vaed-cog", 17, True),
        ("turbo-vaed-dc", 16, True),
        ("turbo-vaed-ltx", 17, True),
    ],
    ids=["hunyuan", "cogvideox", "dc-ae", "ltx", "turbo-hunyuan", "turbo-cog", "turbo-dc", "turbo-ltx"],
)
def test_whole_clips_fit_on_a_phone_where_the_published_ones_ran(decoder, frames, fits):
    decoder = design(decoder) if isinstance(decoder, str) else original(decoder)
    modes = estimate(decoder, "iphone-16-pro", (512, 512), frames, "trace").modes
    assert [mode.fits for mode in modes if mode.mode == "whole"] == [fits]


SMALL_LTX = {
    "_class_name": "AutoencoderKLLTXVideo",
    "block_out_channels": [8, 8, 16, 16],
    "decoder_block_out_channels": [8, 16, 32],
    "layers_per_block": [1] * 5,
    "decoder_layers_per_block": [1] * 4,
    "decoder_spatio_temporal_scaling": [True] * 3,
    "decoder_inject_noise": [False] * 4,
    "upsample_residual": [True] * 3,
    "upsample_factor": [2] * 3,
    "timestep_conditioning": True,
}

SMALL_WAN = {"_class_name": "AutoencoderKLWan", "base_dim": 8, "z_dim": 4}
SMALL_WAN |= {"latents_mean": [0.0] * 4, "latents_std": [1.0] * 4}


def test_an_original_runs_and_gives_the_frames_asked_for():
    found = original(SMALL_LTX)
    shape = found.latent_shape((60, 100), 10)
    assert shape == (1, 128, 3, 2, 4)
    assert found.frames_decoded(10) == 17
    with torch.no_grad():
        assert found.build()(torch.zeros(shape)).shape == (1, 3, 17, 64, 128)


@pytest.mark.parametrize("config", [SMALL_LTX, SMALL_WAN], ids=["ltx", "wan"])
def test_what_runs_has_the_parameters_that_are_priced(config):
    found = original(config)
    decoder = found.build()
    shape = found.latent_shape((16, 16), 5)
    with torch.no_grad():
        assert decoder(torch.zeros(shape)).shape[:3] == (1, 3, found.frames_decoded(5))
    (block,) = found.blocks(shape, "trace", None, "fused")
    assert sum(parameter.numel() for parameter in decoder.parameters()) == block.params


def test_the_same_original_is_traced_once():
    (first,), (again,), (eager,) = (
        original(SMALL_LTX).blocks((1, 128, 2, 2, 2), "trace", None, execution)
        for execution in ("fused", "fused", "eager_fp16")
    )
    assert first is again
    assert eager.identity != first.identity


def test_a_design_is_no_original():
    assert not is_original(design("turbo-vaed-ltx").to_dict())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_class_name": "AutoencoderKLNone"}, "no class AutoencoderKLNone"),
        ({"_class_name": "AutoencoderKL"}, "AutoencoderKL with this configuration decodes no video"),
    ],
    ids=["unknown", "of images"],
)
def test_what_decodes_no_video_is_refused(config, message):
    with pytest.raises(UserError, match=message):
        original(config)
