"""What the stand-in reaches on footage: `python -m nas.teachers.stand_in.evaluate FOOTAGE [MODEL]`.

Prints the table of the model card for a saved model, by default the shipped one; about half an hour on one
CPU core, or half a minute on a GPU.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from nas.teachers.stand_in.moving_pictures import Footage
from nas.teachers.wan import decode_latent, encode_moments

CLIPS = 48  # of each kind
SIDE = 128
FRAMES = (17, 33)


def signed(clip: Tensor) -> Tensor:
    """uint8 frames as the float frames in -1..1 that the autoencoder takes."""
    return clip.float().div(127.5).sub(1)


@torch.no_grad()
def psnr(vae: Any, clip: Tensor) -> float:
    """PSNR in dB of a clip, uint8 `[3, T, H, W]`, through the posterior mean and the decoder, in fp32."""
    wanted = signed(clip.to(vae.device))[None]
    mean = encode_moments(vae, wanted).chunk(2, dim=1)[0]
    error = decode_latent(vae, mean).clamp(-1, 1) - wanted
    return 10 * math.log10(4 / max(error.square().mean().item(), 1e-10))


def evaluate(footage: Path, model: Path) -> dict[str, float]:
    """Mean PSNR in dB on each kind of clip, by its name; prints each as a row."""
    vae: Any = AutoencoderKLWan.from_pretrained(model, torch_dtype=torch.float32)
    vae = vae.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    trained, apart = Footage(footage / "train"), Footage(footage / "held-out")
    results = {}
    for frames in FRAMES:
        for name, make in (
            ("photographs trained on", trained.moving),
            ("photographs held out", apart.moving),
            ("shots trained on", trained.shot),
            ("shot held out (carphone)", apart.shot),
        ):
            figures = [psnr(vae, make(np.random.default_rng(seed), frames, SIDE)) for seed in range(CLIPS)]
            results[f"{name}, {frames} frames"] = sum(figures) / len(figures)
            print(f"| {name}, {frames} frames | {results[f'{name}, {frames} frames']:.2f} |", flush=True)
    return results


if __name__ == "__main__":
    evaluate(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
