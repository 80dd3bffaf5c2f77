"""Trains the stand-in: `python -m nas.teachers.stand_in.train FOOTAGE CHECKPOINT --seconds 540`.

Run again with the same checkpoint and more seconds, it goes on. Then `--export DIR` writes the model as
diffusers saves it, in fp16, with the statistics of its latents, and prints the table of the model card.
Another width, seed and size of clips make another teacher with other latents.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import math
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanResidualBlock
from torch import Tensor

from nas.teachers.stand_in.evaluate import evaluate, signed
from nas.teachers.stand_in.moving_pictures import Footage
from nas.teachers.wan import decode_latent, encode_moments

ARCHITECTURE = {
    "z_dim": 16,
    "dim_mult": [1, 2, 4, 4],
    "num_res_blocks": 1,
    "is_residual": True,  # Wan 2.2's shortcuts around each resampling: far faster to train than without
    "attn_scales": [],
    "temperal_downsample": [False, True, True],
    "latents_mean": [0.0] * 16,
    "latents_std": [1.0] * 16,
}
SHOTS = 0.2  # share of training clips cut from shots: they are few, but real motion
LEARNING_RATE = 4e-3
WARM_UP = 300  # steps
KL_WEIGHT = 1e-5
FIRST_LOG_VARIANCE = -6.0
EMA = 0.998


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one stand-in from another; the shipped one is made by the defaults.

    Attributes:
        width: of the first stage, channels.
        frames: of a training clip.
        side: height and width of a training clip, px.
        batch: clips a step.
        seed: of the first weights and of the order of clips.
    """

    width: int = 24
    frames: int = 17
    side: int = 112
    batch: int = 8
    seed: int = 0

    def model(self) -> Any:
        """The model with random weights."""
        # diffusers' classes hide that they are modules.
        return AutoencoderKLWan(base_dim=self.width, decoder_base_dim=self.width, **ARCHITECTURE)

    def clips(self, footage: Footage, number: int) -> Tensor:
        """A batch, uint8 `[batch, 3, frames, side, side]`; no two seeds share one."""
        return footage.batch(
            self.seed * 10**7 + number, self.batch, frames=self.frames, side=self.side, shots=SHOTS
        )


def untrained(recipe: Recipe) -> Any:
    """The model as training begins: shortcuts alone, and little posterior noise.

    At unit variance the noise would drown an untrained mean.
    """
    vae = recipe.model()
    with torch.no_grad():
        vae.quant_conv.bias[vae.config.z_dim :].fill_(FIRST_LOG_VARIANCE)
        for module in vae.modules():
            if isinstance(module, WanResidualBlock):
                for parameter in module.conv2.parameters():
                    parameter.zero_()
    return vae


def reconstruction_loss(vae: Any, clip: Tensor) -> Tensor:
    """L1 + RMS error per clip + a little KL, of clips `[B, 3, T, H, W]`."""
    mean, log_variance = encode_moments(vae, clip).float().chunk(2, dim=1)
    log_variance = log_variance.clamp(-30, 20)
    latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
    error = decode_latent(vae, latent).float() - clip
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    rms = error.square().mean((1, 2, 3, 4)).add(1e-8).sqrt().mean()
    return error.abs().mean() + rms + KL_WEIGHT * divergence


def train(recipe: Recipe, footage: Path, checkpoint: Path, seconds: float, device: torch.device) -> None:
    """Trains until `seconds` have gone in all (earlier runs of the same checkpoint counted in)."""
    torch.manual_seed(recipe.seed)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    vae = untrained(recipe).to(device)
    averaged = copy.deepcopy(vae)
    optimiser = torch.optim.AdamW(
        vae.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=1e-3, fused=device.type == "cuda"
    )
    step, gone = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        vae.load_state_dict(saved["model"])
        averaged.load_state_dict(saved["averaged"])
        optimiser.load_state_dict(saved["optimiser"])
        step, gone = saved["step"], saved["seconds"]
    clips = _batches(recipe, Footage(footage / "train"), step, device)
    start = time.perf_counter() - gone
    losses: list[Tensor] = []
    while (gone := time.perf_counter() - start) < seconds:
        progress = min(1.0, gone / seconds)
        for group in optimiser.param_groups:
            group["lr"] = (
                LEARNING_RATE * min(1, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
            )
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = reconstruction_loss(vae, next(clips))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        decay = min(EMA, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(vae.parameters()), 1 - decay)
        step += 1
        losses.append(loss.detach())
        if step % 100 == 0:
            recent = torch.stack(losses).mean().item()
            losses.clear()
            print(f"{gone:6.0f} s  step {step}  loss {recent:.4f}", flush=True)
            if not math.isfinite(recent):
                raise RuntimeError(f"the loss at step {step} is {recent}")
    saved = {
        "model": vae.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": gone,
    }
    partial = checkpoint.with_suffix(".partial")
    torch.save(saved, partial)
    partial.rename(checkpoint)


def _batches(recipe: Recipe, footage: Footage, first: int, device: torch.device) -> Iterator[Tensor]:
    """Batches of clips in -1..1 from number `first` on, each made by a thread ahead of its use."""
    torch.set_num_threads(1)  # the threads below are the parallelism; more inside each slow all of them
    ahead = 2 * (os.cpu_count() or 1)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        waiting = deque(
            threads.submit(recipe.clips, footage, number) for number in range(first, first + ahead)
        )
        for number in itertools.count(first + ahead):
            yield signed(waiting.popleft().result().to(device, non_blocking=True))
            waiting.append(threads.submit(recipe.clips, footage, number))


def export(recipe: Recipe, footage: Path, checkpoint: Path, to: Path, device: torch.device) -> None:
    """Writes the averaged model as fp16 safetensors with its latents' statistics; prints what it reaches."""
    saved = torch.load(checkpoint, map_location=device, weights_only=True)
    vae = recipe.model().to(device).eval()
    vae.load_state_dict(saved["averaged"])
    trained = Footage(footage / "train")
    with torch.no_grad():
        batches = (signed(recipe.clips(trained, number).to(device)) for number in range(8))
        latents = [encode_moments(vae, clips).chunk(2, dim=1)[0] for clips in batches]
    values = torch.cat(latents).transpose(0, 1).flatten(1)
    vae.register_to_config(latents_mean=values.mean(1).tolist(), latents_std=values.std(1).tolist())
    vae.half().save_pretrained(to)
    print(f"{saved['step']} steps, {saved['seconds']:.0f} s")
    record: dict[str, Any] = {"steps": saved["step"], "seconds": saved["seconds"], "recipe": asdict(recipe)}
    record["psnr"] = evaluate(footage, to)
    (to / "training.json").write_text(json.dumps(record, indent=2) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("footage", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--seconds", type=float, default=0, help="of training in all; 0 trains nothing")
    parser.add_argument("--export", type=Path, help="folder for the finished model")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    arguments = parser.parse_args()
    recipe = Recipe(**{field.name: getattr(arguments, field.name) for field in fields(Recipe)})
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.seconds:
        train(recipe, arguments.footage, arguments.checkpoint, arguments.seconds, device)
    if arguments.export:
        export(recipe, arguments.footage, arguments.checkpoint, arguments.export, device)


if __name__ == "__main__":
    main()
