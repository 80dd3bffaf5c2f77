"""What trainings start from, drawn at random, for benchmarks of their speed: only shapes matter there."""

from __future__ import annotations

import torch
from torch import Tensor

from nas.material import Material
from nas.settings import ClipSettings


def random_material(clips: ClipSettings, feature_channels: int) -> Material:
    """Random clips, latents and features with Wan's compression, on the CPU."""
    generator = torch.Generator().manual_seed(0)

    def pixels(number: int, length: int) -> Tensor:
        shape = (number, 3, length, clips.size, clips.size)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    def latents(number: int, length: int, channels: int) -> Tensor:
        shape = (number, channels, (length + 3) // 4, clips.size // 8, clips.size // 8)
        return torch.randn(shape, generator=generator)

    return Material(
        clips=pixels(clips.train, clips.frames),
        latents=latents(clips.train, clips.frames, 16),
        features=latents(clips.train, clips.frames, feature_channels),
        feature_block="mid_block",
        validation_clips=pixels(clips.validation, clips.validation_frames),
        validation_latents=latents(clips.validation, clips.validation_frames, 16),
        teacher_psnr=25.0,
        teacher_frames=torch.zeros(clips.validation, 3, clips.size, clips.size, dtype=torch.uint8),
    )
