"""Every teacher's autoencoder at its real size, with random weights: the memory of a clip of 17x256x256.

    python benchmarks/real_size_teachers.py            # all, one after the other; an hour or two on two cores
    python benchmarks/real_size_teachers.py wan ltx

Saves each as it is published and loads it by path. Prints the shapes of latents and block features; then the
peak memory (of a process with PyTorch and the weights) and the seconds of encoding, of the features that
`nas train` compares, and of decoding.
"""

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIDE = 256
FRAMES = 17  # 16 where a clip is a multiple of four
STEPS = ("encode", "features", "decode")
BLOCKS = ("mid_block", "up_block_0")  # as the published preset of `nas train` names them

# What each model's published config.json says where it differs from the defaults of its class.
REAL_SIZES: dict[str, tuple[str, dict]] = {
    "wan": ("AutoencoderKLWan", {}),
    "wan2.2": (
        "AutoencoderKLWan",
        {
            "base_dim": 160,
            "decoder_base_dim": 256,
            "z_dim": 48,
            "is_residual": True,
            "patch_size": 2,
            "in_channels": 12,
            "out_channels": 12,
            "scale_factor_spatial": 16,
            "latents_mean": [0.0] * 48,
            "latents_std": [1.0] * 48,
        },
    ),
    "hunyuan": ("AutoencoderKLHunyuanVideo", {}),
    "cogvideox": ("AutoencoderKLCogVideoX", {}),
    "ltx": ("AutoencoderKLLTXVideo", {}),
    "dc": ("VideoDCAE", {}),
}


def save(name: str, folder: Path) -> None:
    """Save a teacher with random weights, and say how large it is."""
    import diffusers
    import torch
    from safetensors.torch import save_file

    from nas.teachers import load_teacher
    from nas.teachers.dc_ae import MODEL_NAME, VideoDCAE, VideoDCAEConfig

    class_name, config = REAL_SIZES[name]
    if class_name == "VideoDCAE":
        save_file(VideoDCAE(VideoDCAEConfig(**config)).state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"model_name": MODEL_NAME}))
    else:
        getattr(diffusers, class_name)(**config).save_pretrained(folder)
    teacher = load_teacher(folder)
    size = sum(weight.numel() for weight in teacher.vae.parameters())
    frames = teacher.frames(FRAMES)
    growth = "x".join(map(str, teacher.compression))
    with torch.no_grad():
        latent = teacher._encode(teacher._weightless, torch.empty(1, 3, frames, SIDE, SIDE, device="meta"))
    print(f"{name}: {class_name}, {size / 1e6:.1f} M parameters, {growth}, {frames}x{SIDE}x{SIDE}")
    print(f"  latent {_shape(latent.shape)}")
    for block, shape in teacher.feature_shapes(latent.shape).items():
        print(f"  {block} {_shape(shape)}", flush=True)


def measure(step: str, folder: Path) -> None:
    """Run one step of a saved teacher, and print what it took."""
    import torch

    from nas.teachers import load_teacher

    teacher = load_teacher(folder)
    latents = folder / "latents.pt"
    began = time.perf_counter()
    if step == "encode":
        torch.manual_seed(0)
        clip = torch.rand(1, 3, teacher.frames(FRAMES), SIDE, SIDE) * 2 - 1
        torch.save(teacher.encode(clip), latents)
    elif step == "features":
        teacher.features(torch.load(latents, weights_only=True), BLOCKS)
    else:
        teacher.decode(torch.load(latents, weights_only=True))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"  {step}: peak {peak / 1e9:.2f} GB, {seconds:.0f} s", flush=True)


def _shape(shape: Any) -> str:
    return "x".join(map(str, shape[1:]))


def _apart(function: Any, *arguments: Any) -> None:
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


if __name__ == "__main__":
    for name in sys.argv[1:] or REAL_SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _apart(save, name, Path(folder))
            for step in STEPS:
                _apart(measure, step, Path(folder))
