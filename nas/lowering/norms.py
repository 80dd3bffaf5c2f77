"""The decoder's norms, written so that fp16 neither overflows nor underflows in them.

As trained they square activations: above 255 that overflows fp16, below 0.0002 it vanishes, and their eps of
1e-8 is 0. Here channels are first divided by their largest magnitude (or by `SMALLEST_DIVISOR`), which
cancels in the result: the mean square then lies between 1/C and 1. That costs one more reduction, and in fp32
the numbers are the same to rounding.
"""

from __future__ import annotations

import math

import torch
from torch import nn

RMS_EPS = 1e-8  # of `search_space.decoder.rms_norm`
SMALLEST_SCALE = 2.0**-13  # twice the smallest normal fp16: its reciprocal and its half are normal too
# Channels are divided by no less, so that the factor that norms them, up to 2**6.5 / this, is below 65,504.
SMALLEST_DIVISOR = 2.0**-9


def rms_norm(x: torch.Tensor, stream_scale: float = 1.0) -> torch.Tensor:
    """Divides x [N, C, ...] by the root of its mean square over channels plus `RMS_EPS` * stream_scale².

    So it gives for stream_scale * x what the trained norm gives for x.
    """
    root_eps = _constant(math.sqrt(RMS_EPS) * stream_scale, x)
    scale = torch.maximum(_largest(x), _constant(SMALLEST_DIVISOR, x))
    # The factor multiplies x itself, so that no scaled copy must be kept for a second pass over memory.
    return x * (_inverse_root_mean_square(x / scale, root_eps / scale) / scale)


class ChannelLayerNorm(nn.Module):
    """Layer norm over the channels of [N, C, ...], with the parameters of a trained `nn.LayerNorm`."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.eps = norm.eps
        self.stream_scale = 1.0  # as of `rms_norm`

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        root_eps = _constant(math.sqrt(self.eps) * self.stream_scale, x)
        scale = torch.maximum(_largest(x), _constant(SMALLEST_DIVISOR, x))
        scaled, root_eps = x / scale, root_eps / scale
        centred = scaled - scaled.mean(dim=1, keepdim=True)
        # Centred values may be far below the scale, so they get a scale of their own. Where channels are
        # equal they are 0, and in fp16 so may be eps: the floor then stands in for a division by 0.
        spread = torch.maximum(_largest(centred), root_eps).clamp(min=SMALLEST_SCALE)
        centred = centred / spread
        normed = centred * _inverse_root_mean_square(centred, root_eps / spread)
        per_channel = (-1, *[1] * (x.ndim - 2))
        return normed * self.weight.reshape(per_channel) + self.bias.reshape(per_channel)


def _largest(x: torch.Tensor) -> torch.Tensor:
    """Largest magnitude over channels: [N, C, ...] -> [N, 1, ...]."""
    return x.abs().amax(dim=1, keepdim=True)


def _inverse_root_mean_square(x: torch.Tensor, root_eps: torch.Tensor) -> torch.Tensor:
    """1 / root of (mean square over channels + root_eps²), for x [N, C, ...] of magnitudes up to 1."""
    mean_square = (x * x).mean(dim=1, keepdim=True) + root_eps * root_eps
    return torch.rsqrt(mean_square.clamp(min=SMALLEST_SCALE))


def _constant(number: float, like: torch.Tensor) -> torch.Tensor:
    """`number` as a tensor: PyTorch divides a plain one by reciprocal, to which Core ML adds 1e-4."""
    return torch.full((), number, dtype=like.dtype, device=like.device)
