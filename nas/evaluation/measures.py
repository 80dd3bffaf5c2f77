"""What is measured of a decoded clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nas.perceptual import Lpips
from nas.quality import psnr, psnr_by_phase, psnr_of_frames, ssim, temporal_psnr

Measures = dict[str, Any]  # by name a float or, by phase, several


def measure(video: Tensor, reference: Tensor, by_time: int, lpips: Lpips | None) -> Measures:
    """Compares a decoded clip with what it should be.

    Args:
        video: `[1, 3, T, H, W]`, about -1..1.
        reference: the original, or what another decoder makes of the same latent.
        by_time: frames for one latent.
        lpips: with AlexNet, if there is one.

    Returns:
        "psnr" of the clip as a whole and "psnr_frames", the mean of its frames' own, in dB; "psnr_by_phase",
        by where a frame lies among those of one latent; "ssim"; "temporal_psnr"; and "lpips".
    """
    reference = reference.clamp(-1, 1)
    found: Measures = {
        "psnr": psnr(video, reference),
        "psnr_frames": psnr_of_frames(video, reference),
        "psnr_by_phase": psnr_by_phase(video, reference, by_time),
        "ssim": ssim(video, reference),
        "temporal_psnr": temporal_psnr(video, reference),
    }
    if lpips is not None:
        found["lpips"] = float(lpips(video.clamp(-1, 1), reference).mean())
    return found


def mean(measures: Sequence[Measures]) -> Measures:
    """The mean of each over clips."""
    return {name: _mean([one[name] for one in measures]) for name in measures[0]}


def _mean(values: Sequence[Any]) -> Any:
    if isinstance(values[0], list):
        return [_mean(column) for column in zip(*values, strict=True)]
    return sum(values) / len(values)
