"""Every teacher's autoencoder at its real size, with random weights: saved, loaded by path, run.

    python benchmarks/real_size_teachers.py            # all, one after the other; up to 4 GB of memory
    python benchmarks/real_size_teachers.py wan ltx

Prints the shapes of latents and block features at 9 and 17 frames of 64x64, the seconds that loading and
running took, and the peak memory of the process, which also builds and saves the random model.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from typing import Any

# What each model's published config.json says where it differs from the defaults of its class.
REAL_SIZES: dict[str, tuple[str, dict]] = {
    "wan": ("AutoencoderKLWan", {}),
    "hunyuan": ("AutoencoderKLHunyuanVideo", {}),
    "cogvideox": ("AutoencoderKLCogVideoX", {}),
    "ltx": ("AutoencoderKLLTXVideo", {}),
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
}


def run(name: str) -> None:
    import diffusers
    import torch

    from nas.teachers import load_teacher

    class_name, config = REAL_SIZES[name]
    with tempfile.TemporaryDirectory() as folder:
        getattr(diffusers, class_name)(**config).save_pretrained(folder)
        began = time.perf_counter()
        teacher = load_teacher(folder)
        loaded = time.perf_counter()
        by_time, by_height, by_width = teacher.compression
        size = sum(weight.numel() for weight in teacher.vae.parameters())
        print(
            f"{name}: {class_name}, {size / 1e6:.1f} M parameters, {teacher.latent_channels} channels, "
            f"{by_time}x{by_height}x{by_width}, loaded in {loaded - began:.1f} s"
        )
        for frames in (9, 17):
            began = time.perf_counter()
            latent = teacher.encode(torch.rand(1, 3, frames, 64, 64) * 2 - 1)
            video, features = teacher.decode_features(latent)
            print(f"  {frames} frames, {time.perf_counter() - began:.1f} s: latent {_shape(latent)}")
            print("    " + ", ".join(f"{block} {_shape(feature)}" for block, feature in features.items()))
            assert video.shape == (1, 3, frames, 64, 64)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"  peak memory {peak / 1e9:.1f} GB", flush=True)


def _shape(tensor: Any) -> str:
    return "x".join(map(str, tensor.shape[1:]))


if __name__ == "__main__":
    for name in sys.argv[1:] or REAL_SIZES:
        process = multiprocessing.get_context("spawn").Process(target=run, args=(name,))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)
