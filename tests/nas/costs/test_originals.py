"""The decoders of originals, from their configurations."""

import pytest
import torch

from nas.costs import load_device
from nas.costs.operations import peak_activations
from nas.costs.originals import is_original, original
from search_space import design
from search_space.errors import UserError

PHONE = load_device("iphone-16-pro")
DC_AE = {"model_name": "dc-ae-f32t4c128"}

# Parameters, and work on 17 frames at 512x512, counted on the published configurations (DC-AE: 16 frames).
# Memory on an iPhone 16 Pro at 512x512: arXiv 2508.09136, table 2.
PUBLISHED = [
    ("AutoencoderKLHunyuanVideo", {}, 146.1, None, False),
    ("AutoencoderKLCogVideoX", {}, 123.4, None, False),
    ("dc-ae-f32t4c128", DC_AE, 239.0, None, False),
    ("AutoencoderKLLTXVideo", {}, 238.8, 4.085, True),
    ("AutoencoderKLWan", {}, 73.3, 38.37, None),
]


@pytest.mark.parametrize(
    ("name", "config", "params", "tflop", "fits"), PUBLISHED, ids=[row[0] for row in PUBLISHED]
)
def test_originals_have_the_published_size_work_and_memory(name, config, params, tflop, fits):
    config = config or {"_class_name": name}
    assert is_original(config)
    found = original(config)
    latent = found.latent_shape((512, 512), 16 if config == DC_AE else 17)
    (block,) = found.blocks(latent, "trace", None, "fused")
    assert block.params / 1e6 == pytest.approx(params, abs=0.05)
    if tflop is not None:
        assert block.program.flops / 1e12 == pytest.approx(tflop, abs=0.005)
    if fits is not None:
        memory = (block.params + peak_activations(block.program)) * PHONE.element_bytes
        assert (memory <= PHONE.app_memory_gb.value * 1e9) is fits


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


def test_an_original_runs_and_gives_the_frames_asked_for():
    found = original(SMALL_LTX)
    shape = found.latent_shape((60, 100), 10)
    assert shape == (1, 128, 3, 2, 4)
    assert found.frames_decoded(10) == 17
    with torch.no_grad():
        assert found.build()(torch.zeros(shape)).shape == (1, 3, 17, 64, 128)


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
