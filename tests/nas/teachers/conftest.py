"""Small autoencoders of the teachers' own classes, with random weights, saved as they are published."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nas.teachers.dc_ae import VideoDCAE, VideoDCAEConfig

# name -> class, configuration
SMALL: dict[str, tuple[str, dict]] = {
    "wan": ("AutoencoderKLWan", {"base_dim": 8}),
    "wan2.2": (
        "AutoencoderKLWan",
        {
            "base_dim": 8,
            "decoder_base_dim": 16,
            "z_dim": 48,
            "is_residual": True,
            "patch_size": 2,
            "in_channels": 12,
            "out_channels": 12,
            "scale_factor_spatial": 8,  # a lie: it is 16
            "latents_mean": [0.5] * 48,
            "latents_std": [2.0] * 48,
        },
    ),
    "hunyuan": (
        "AutoencoderKLHunyuanVideo",
        {"block_out_channels": [8, 8, 16, 16], "norm_num_groups": 4, "layers_per_block": 1},
    ),
    "cogvideox": (
        "AutoencoderKLCogVideoX",
        {"block_out_channels": [8, 8, 16, 16], "norm_num_groups": 4, "layers_per_block": 1},
    ),
    "ltx": (
        "AutoencoderKLLTXVideo",
        {
            "block_out_channels": [8, 8, 16, 16],
            "decoder_block_out_channels": [8, 8, 16, 16],
            "layers_per_block": [1] * 5,
            "decoder_layers_per_block": [1] * 5,
        },
    ),
    "ltx-0.9.5": (
        "AutoencoderKLLTXVideo",
        {
            "block_out_channels": [8, 8, 16, 16],
            "decoder_block_out_channels": [8, 16, 32],
            "layers_per_block": [1] * 5,
            "decoder_layers_per_block": [1] * 4,
            "decoder_spatio_temporal_scaling": [True] * 3,
            "decoder_inject_noise": [False] * 4,
            "upsample_residual": [True] * 3,
            "upsample_factor": [2] * 3,
            "timestep_conditioning": True,
        },
    ),
}

SMALL_DC_AE = {
    "widths": [8, 8, 16, 32, 64, 128],
    "encoder_blocks": [1, 1, 1, 1, 1, 1],
    "decoder_blocks": [1, 1, 1, 1, 1, 1],
}


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one directory a name of `SMALL`, and one named dc."""
    import diffusers

    folder = tmp_path_factory.mktemp("autoencoders")
    for name, (class_name, config) in SMALL.items():
        torch.manual_seed(0)
        getattr(diffusers, class_name)(**config).save_pretrained(folder / name)
    (folder / "dc").mkdir()
    torch.manual_seed(0)
    save_file(VideoDCAE(VideoDCAEConfig(**SMALL_DC_AE)).state_dict(), folder / "dc" / "model.safetensors")
    (folder / "dc" / "config.json").write_text(json.dumps({"_class_name": "VideoDCAE", **SMALL_DC_AE}))
    return folder
