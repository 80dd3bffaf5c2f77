"""What designs are distilled from, computed once: clips, their latents and the teacher's block features.

The teacher's encoder runs once a clip. What comes out stays on the device that trains, pixels as uint8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nas.quality import psnr, to_unit

if TYPE_CHECKING:
    from nas.clips import Clips
    from nas.teachers import Teacher


@dataclass(frozen=True)
class Material:
    """Cached inputs and targets of distillation, on the device that trains.

    Attributes:
        clips: training targets, uint8 `[N, 3, T, H, W]`.
        latents: their latents as the teacher's decoder takes them, raw, `[N, C, t, h, w]`.
        features: the teacher's block feature of each, divided by its standard deviation over all of them, so
            that one loss weight serves every teacher, `[N, F, t, h, w]`; None where the teacher has no
            block at the latents' size.
        feature_block: the name of that block.
        validation_clips: uint8 `[M, 3, Tv, H, W]`, of scenes that no training clip shares.
        validation_latents: `[M, C, tv, h, w]`.
        teacher_psnr: what the teacher itself reaches on the validation clips, dB.
        teacher_frames: the middle frame of each validation clip as the teacher decodes it,
            uint8 `[M, 3, H, W]`, on the CPU.
    """

    clips: Tensor
    latents: Tensor
    features: Tensor | None
    feature_block: str | None
    validation_clips: Tensor
    validation_latents: Tensor
    teacher_psnr: float
    teacher_frames: Tensor

    @property
    def device(self) -> torch.device:
        """Where everything lies."""
        return self.latents.device


@torch.inference_mode()
def prepare(teacher: Teacher, clips: Clips, *, with_features: bool, batch: int = 4) -> Material:
    """Encodes every clip once and decodes what is needed of the teacher, on the teacher's device.

    Args:
        teacher: encodes and decodes.
        clips: training and validation clips, uint8.
        with_features: whether the teacher's block features are wanted.
        batch: clips that go through the teacher together.
    """
    device = teacher.device
    train = clips.train.to(device)
    validation = clips.validation.to(device)
    latents, features = [], []
    block = None
    for pixels in train.split(batch):
        latent = teacher.encode(to_unit(pixels))
        latents.append(latent)
        if with_features and block is None:
            block = _block_at_latent_size(teacher, latent)
        if block is not None:
            features.append(teacher.features(latent, [block])[block].to(_storage(device)))
    joined = torch.cat(features) if features else None
    if joined is not None:
        joined = joined / joined.float().std().to(joined.dtype)

    validation_latents, videos = [], []
    for pixels in validation.split(batch):
        latent = teacher.encode(to_unit(pixels))
        validation_latents.append(latent)
        videos.append(teacher.decode(latent).float())
    decoded = torch.cat(videos)
    return Material(
        clips=train,
        latents=torch.cat(latents),
        features=joined,
        feature_block=block,
        validation_clips=validation,
        validation_latents=torch.cat(validation_latents),
        teacher_psnr=psnr(decoded, to_unit(validation)),
        teacher_frames=middle_frames(decoded),
    )


def middle_frames(videos: Tensor) -> Tensor:
    """The middle frame of each of `[B, 3, T, H, W]` in -1..1, as uint8 `[B, 3, H, W]` on the CPU."""
    frames = videos[:, :, videos.shape[2] // 2].float().clamp(-1, 1)
    return frames.add(1).mul(127.5).round().to(torch.uint8).cpu()


def _block_at_latent_size(teacher: Teacher, latent: Tensor) -> str | None:
    """The last of the teacher's blocks that has the latent's frames, height and width."""
    shapes = teacher.feature_shapes(latent.shape)
    names = [name for name, shape in shapes.items() if shape[2:] == latent.shape[2:]]
    return names[-1] if names else None


def _storage(device: torch.device) -> torch.dtype:
    """Features are kept in half the bytes where there is a GPU, whose loss is computed in bf16 anyway."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32
