"""Triton kernels for training decoders on a GPU, as autograd functions equal to PyTorch's operators.

Clips are `[B, C, T, H, W]` in `torch.channels_last_3d`: in memory a frame is rows of W * C numbers, so that
moving by a pixel is moving by C, and a program takes a piece of a row whatever the number of channels.
Triton compiles a kernel once for each kernel size, dtype and largest power of two that divides the channels,
and keeps it on disk; nothing is tuned to a shape, so that a new design hardly waits.
"""

from __future__ import annotations


def vector(channels: int) -> int:
    """The largest power of two, up to 8, that divides the channels: what a thread loads at once."""
    return min(8, channels & -channels)
