"""How much larger than its latent an autoencoder's video is, measured, not read from its configuration."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Growth:
    """Attributes:
    compression: frames, height and width of the video per one of the latent, (t, h, w).
    extra_frames: T latents are `t * T + extra_frames` frames.
    """

    compression: tuple[int, int, int]
    extra_frames: int

    def latents(self, frames: int) -> int:
        """The fewest latents that give `frames` frames."""
        return max(1, -(-(frames - self.extra_frames) // self.compression[0]))


def measured_growth(decode: Callable[[Tensor], Tensor], channels: int) -> Growth:
    """The growth of `decode`, from latents `[1, channels, T, 2, 2]` on PyTorch's meta device to videos."""
    with torch.no_grad():
        three, five = (
            decode(torch.empty(1, channels, latents, 2, 2, device="meta"))
            for latents in (3, 5)  # odd: CogVideoX decodes even numbers of latents by another rule
        )
    time = (five.shape[2] - three.shape[2]) // 2
    return Growth((time, three.shape[3] // 2, three.shape[4] // 2), three.shape[2] - 3 * time)
