"""How a student does on held-out clips while it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.material import middle_frames
from nas.quality import psnr, psnr_inside, ssim, temporal_psnr, to_unit
from nas.teachers import Teacher


@dataclass(frozen=True)
class HeldOut:
    """Clips that no training clip shares a scene with.

    Attributes:
        clips: uint8 `[M, 3, T, H, W]`, on the CPU.
        latents: the posterior's means, `[M, C, t, h, w]`, on the teacher's device.
        truth_frames: the middle frame of each clip, uint8 `[M, 3, H, W]`.
        teacher_frames: the same as the teacher decodes it.
        teacher: what the teacher itself reaches.
    """

    clips: Tensor
    latents: Tensor
    truth_frames: Tensor
    teacher_frames: Tensor
    teacher: dict[str, float]

    @classmethod
    def of(cls, clips: Tensor, teacher: Teacher) -> HeldOut:
        """Encodes and decodes clips uint8 `[M, 3, T, H, W]` one after the other."""
        latents = torch.cat([teacher.encode(to_unit(clip)) for clip in clips.split(1)])
        measured = _measured(teacher.decode, latents, clips, teacher.compression[0])
        return cls(clips, latents, middle_frames(to_unit(clips)), *measured)


def validate(decoder: nn.Module, held_out: HeldOut, compression: int) -> tuple[Tensor, dict[str, float]]:
    """Measures a decoder, in fp32.

    Returns:
        The middle frame of each clip as decoded, uint8 `[M, 3, H, W]`, and the mean over clips of "psnr" and
        "psnr_inside" in dB, "ssim" and "temporal_psnr" in dB.
    """
    with torch.no_grad():
        return _measured(decoder, held_out.latents, held_out.clips, compression)


def _measured(
    decode: Callable[[Tensor], Tensor], latents: Tensor, clips: Tensor, compression: int
) -> tuple[Tensor, dict[str, float]]:
    frames, rows = [], []
    for latent, pixels in zip(latents.split(1), clips.split(1), strict=True):
        clip = to_unit(pixels.to(latent.device))
        video = decode(latent).float()
        frames.append(middle_frames(video))
        rows.append(
            {
                "psnr": psnr(video, clip),
                "psnr_inside": psnr_inside(video, clip, frames=compression),
                "ssim": ssim(video, clip),
                "temporal_psnr": temporal_psnr(video, clip),
            }
        )
    return torch.cat(frames), {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
