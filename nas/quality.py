"""How near a decoded clip comes to the original: PSNR, SSIM (as torchmetrics computes them), consistency.

LPIPS, which needs the weights of other networks, is in `nas.perceptual`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

_RANGE = (-1.0, 1.0)  # of pixel values; what lies outside is clamped first, as a player would


def psnr(videos: Tensor, clips: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of each clip, averaged over clips.

    Args:
        videos: decoded, `[B, 3, T, H, W]`, where -1..1 is black..white.
        clips: the originals, of the same shape and range.
    """
    value = peak_signal_noise_ratio(
        videos.float().clamp(*_RANGE), clips, data_range=_RANGE[1] - _RANGE[0], dim=(1, 2, 3, 4)
    )
    return float(value)


def psnr_of_frames(videos: Tensor, clips: Tensor) -> float:
    """PSNR in dB of each frame, averaged over frames, as papers on video autoencoders report it.

    Args:
        videos: decoded, `[B, 3, T, H, W]`, where -1..1 is black..white.
        clips: the originals, of the same shape and range.
    """
    error = (videos.float().clamp(*_RANGE) - clips.clamp(*_RANGE)).square().mean(dim=(1, 3, 4))
    return float(_decibels(error).mean())


def psnr_inside(videos: Tensor, clips: Tensor, frames: int) -> float:
    """PSNR in dB away from the borders, where zero padding and repeated frames play no part.

    Args:
        videos: decoded, `[B, 3, T, H, W]`.
        clips: the originals, of the same shape.
        frames: left out at either end of time; an eighth of height and width is left out at every side.
            Clips with nothing left in time keep all their frames.
    """
    _, _, time, height, width = clips.shape
    times = slice(frames, time - frames) if time > 2 * frames else slice(None)
    rows = slice(height // 8, height - height // 8)
    columns = slice(width // 8, width - width // 8)
    return psnr(videos[:, :, times, rows, columns], clips[:, :, times, rows, columns])


def ssim(videos: Tensor, clips: Tensor) -> float:
    """Structural similarity (Wang et al. 2004; 11-pixel Gaussian window) of each frame, averaged over frames.

    Args:
        videos: decoded, `[B, 3, T, H, W]`, where -1..1 is black..white.
        clips: the originals, of the same shape and range.
    """
    # Its luminance term means something for intensities from 0 up only.
    value = structural_similarity_index_measure(_intensities(videos), _intensities(clips), data_range=1.0)
    assert isinstance(value, Tensor)
    return float(value)


def psnr_by_phase(videos: Tensor, clips: Tensor, by_time: int) -> list[float]:
    """PSNR in dB by where a frame lies among those that one latent stands for.

    A decoder that repeats frames, or sees too little of the next latent, shows here.

    Args:
        videos: decoded, `[B, 3, T, H, W]`, where -1..1 is black..white.
        clips: the originals, of the same shape and range.
        by_time: frames for one latent. Where T isn't a multiple of it, the first latent stands for one frame,
            as in causal autoencoders.

    Returns:
        One value for each phase, over all frames of that phase together; the lone first frame is left out.
    """
    error = (videos.float().clamp(*_RANGE) - clips).square().mean(dim=(0, 1, 3, 4))
    error = error[clips.shape[2] % by_time :]
    phases = error.view(-1, by_time).mean(dim=0)
    return _decibels(phases).tolist()


def temporal_psnr(videos: Tensor, clips: Tensor) -> float:
    """Temporal consistency: PSNR in dB of the changes from frame to frame, averaged over clips.

    Flicker lowers it; an error that stands still, as that of a wrong colour, doesn't.

    Args:
        videos: decoded, `[B, 3, T, H, W]` with T of 2 or more, where -1..1 is black..white.
        clips: the originals, of the same shape and range.
    """
    changes = videos.float().clamp(*_RANGE).diff(dim=2)
    error = (changes - clips.diff(dim=2)).square().mean(dim=(1, 2, 3, 4))
    return float(_decibels(error).mean())


def to_unit(clips: Tensor) -> Tensor:
    """Pixels `uint8` 0..255 as `float32` in -1..1."""
    return clips.to(torch.float32).div_(127.5).sub_(1.0)


def _decibels(error: Tensor) -> Tensor:
    """PSNR of mean squared errors, at most what the rounding of fp32 leaves to tell."""
    return 10 * torch.log10((_RANGE[1] - _RANGE[0]) ** 2 / error.clamp(min=1e-12))


def _intensities(clips: Tensor) -> Tensor:
    """`[B, 3, T, H, W]` in -1..1 as frames `[B * T, 3, H, W]` in 0..1."""
    return clips.float().clamp(*_RANGE).add(1).div(2).transpose(1, 2).flatten(0, 1)
