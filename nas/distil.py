"""One distillation run: a design learns to decode a teacher's latents, and its quality is measured.

The loss is L1 to the original clip plus a block-feature loss: mean squared error between the teacher's block
feature and the student's at the same size, the latter through a head of two 1x1x1 convolutions (Turbo-VAED,
Zou et al., arXiv 2508.09136). Every design sees the same clips in the same order for the same steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import EllipsisType

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.depthwise import compute_framewise
from nas.initialisation import initialise
from nas.material import Material, middle_frames
from nas.quality import psnr, psnr_inside, ssim, to_unit
from nas.settings import TrainingSettings
from search_space import DecoderConfig, build_decoder

_Index = tuple[EllipsisType, slice, slice]  # of height and width

_BETAS = (0.9, 0.95)  # of AdamW, as published


class DistillationError(RuntimeError):
    """A run came to no result: the message says why, in one line."""


@dataclass(frozen=True)
class Distilled:
    """What one run came to.

    Attributes:
        metrics: on the validation clips: "psnr" and "psnr_inside" in dB, "ssim", and the last "loss".
        curve: `[step, PSNR in dB]` on the first few validation clips, while training.
        seconds: wall clock of the parts "build", "train" (with the curve) and "validate".
        state: the trained decoder's parameters, on the CPU.
        frames: the middle frame of each validation clip as decoded, uint8 `[M, 3, H, W]`.
        feature_blocks: names of the student's and the teacher's block whose features were compared, if any.
    """

    metrics: dict[str, float]
    curve: list[tuple[int, float]]
    seconds: dict[str, float]
    state: dict[str, Tensor]
    frames: Tensor
    feature_blocks: tuple[str, str] | None


def distil(
    config: DecoderConfig,
    material: Material,
    settings: TrainingSettings,
    *,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Distilled:
    """Builds the design, trains it on the material's latents and measures it.

    Args:
        config: what is built and trained; narrowed already where a proxy is wanted.
        material: clips, latents and features, on the device that trains.
        settings: steps, batch, learning rate.
        seed: of the initial weights and of the order of clips.
        on_step: called with the number of steps done after each.

    Raises:
        DistillationError: the loss became NaN or infinite, or the output has another shape than the clip.
    """
    device = material.device
    started = time.perf_counter()
    torch.manual_seed(seed)
    decoder = compute_framewise(initialise(build_decoder(config))).to(device)
    alignment = _Alignment.between(decoder, material) if settings.feature_weight else None
    parameters = [*decoder.parameters(), *(alignment.head.parameters() if alignment else ())]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings.learning_rate,
        betas=_BETAS,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    built = time.perf_counter()

    curve: list[tuple[int, float]] = []
    points = {round(settings.steps * (i + 1) / settings.curve_points) for i in range(settings.curve_points)}
    loss = torch.zeros(())
    for step, batch in enumerate(_batches(material, settings, seed), start=1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, settings)
        loss = _loss(decoder, alignment, batch, settings.feature_weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, settings.gradient_norm)
        optimizer.step()
        if step in points:
            if not math.isfinite(loss.item()):
                raise DistillationError(f"the loss is {loss.item()} at step {step}")
            some = slice(settings.curve_clips)
            decoded = _decode(decoder, material.validation_latents[some])
            curve.append((step, psnr(decoded, to_unit(material.validation_clips[some]))))
        if on_step is not None:
            on_step(step)
    trained = time.perf_counter()

    truth = to_unit(material.validation_clips)
    decoded = _decode(decoder, material.validation_latents)
    compression = config.compression[0]
    metrics = {
        "psnr": psnr(decoded, truth),
        "psnr_inside": psnr_inside(decoded, truth, frames=compression),
        "ssim": ssim(decoded, truth),
        "loss": loss.item(),
    }
    if not all(math.isfinite(value) for value in metrics.values()):
        raise DistillationError(f"the trained decoder measures {metrics}")
    finished = time.perf_counter()
    return Distilled(
        metrics=metrics,
        curve=curve,
        seconds={"build": built - started, "train": trained - built, "validate": finished - trained},
        state={name: tensor.detach().cpu() for name, tensor in decoder.state_dict().items()},
        frames=middle_frames(decoded),
        feature_blocks=(alignment.block, str(material.feature_block)) if alignment else None,
    )


@dataclass(frozen=True)
class _Alignment:
    """The student's block that is compared with the teacher's, and the head between them."""

    block: str
    head: nn.Module

    @classmethod
    @torch.no_grad()
    def between(cls, decoder: nn.Module, material: Material) -> _Alignment | None:
        """The student's last block at the teacher's feature's size; None where there is none."""
        if material.features is None:
            return None
        with _autocast(material.device):
            _, features = decoder(material.latents[:1], return_features=True)
        size = material.features.shape[2:]
        names = [name for name, feature in features.items() if feature.shape[2:] == size]
        if not names:
            return None
        student, teacher = features[names[-1]].shape[1], material.features.shape[1]
        head = nn.Sequential(nn.Conv3d(student, teacher, 1), nn.Conv3d(teacher, teacher, 1))
        return cls(names[-1], head.to(material.device))


@dataclass(frozen=True)
class _Batch:
    """What a step sees: latents `[B, C, t, h, w]`, clips `[B, 3, T, H, W]` in -1..1, features or None."""

    latents: Tensor
    clips: Tensor
    features: Tensor | None


def _batches(material: Material, settings: TrainingSettings, seed: int) -> Iterator[_Batch]:
    """The batches of a run, the same for every design: each clip once, shuffled, before any comes again."""
    generator = torch.Generator().manual_seed(seed)
    clips = len(material.clips)
    needed = settings.steps * settings.batch
    epochs = [torch.randperm(clips, generator=generator) for _ in range(math.ceil(needed / clips))]
    for rows in torch.cat(epochs)[:needed].split(settings.batch):
        rows = rows.to(material.device)
        of_latent, of_pixels = _window(material, settings.window, generator)
        yield _Batch(
            latents=material.latents[rows][of_latent],
            clips=to_unit(material.clips[rows][of_pixels]),
            features=None if material.features is None else material.features[rows][of_latent].float(),
        )


def _window(material: Material, size: int | None, generator: torch.Generator) -> tuple[_Index, _Index]:
    """A random window of `size` px (None: the whole clip), as an index of latents and one of pixels."""
    height, width = material.latents.shape[-2:]
    scale = material.clips.shape[-1] // width  # px for each latent
    side = min(height, width) if size is None else max(1, size // scale)
    top, left = (
        int(torch.randint(max(1, extent - side + 1), (), generator=generator)) for extent in (height, width)
    )
    of_latent, of_pixels = (
        (..., slice(top * by, (top + side) * by), slice(left * by, (left + side) * by)) for by in (1, scale)
    )
    return of_latent, of_pixels


def _loss(decoder: nn.Module, alignment: _Alignment | None, batch: _Batch, feature_weight: float) -> Tensor:
    """L1 plus the weighted feature loss."""
    with _autocast(batch.latents.device):
        if alignment is None:
            video, feature_loss = decoder(batch.latents), None
        else:
            assert batch.features is not None
            video, features = decoder(batch.latents, return_features=True)
            projected = alignment.head(features[alignment.block])
            feature_loss = functional.mse_loss(projected.float(), batch.features)
    if video.shape != batch.clips.shape:
        raise DistillationError(
            f"the decoder returns {list(video.shape)} for clips of {list(batch.clips.shape)}"
        )
    loss = functional.l1_loss(video.float(), batch.clips)
    return loss if feature_loss is None else loss + feature_weight * feature_loss


@torch.no_grad()
def _decode(decoder: nn.Module, latents: Tensor) -> Tensor:
    """Decodes clip by clip, since several long clips at once may not fit: `[B, 3, T, H, W]`, float32."""
    with _autocast(latents.device):
        return torch.cat([decoder(latent).float() for latent in latents.split(1)])


def _schedule(step: int, settings: TrainingSettings) -> float:
    """The share of the learning rate at a step from 1: linear warm-up, then half a cosine down to zero."""
    if step <= settings.warm_up:
        return step / settings.warm_up
    done = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up + 1)
    return 0.5 * (1 + math.cos(math.pi * done))


def _autocast(device: torch.device) -> torch.autocast:
    """bf16 on CUDA; CPUs without its instructions only lose by it, so they compute in fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
