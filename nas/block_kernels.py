"""The kernels that a decoder's blocks are computed with: Triton's on a CUDA device, PyTorch's on others."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Norm = Literal["rms", "layer", "none"]
Activation = Literal["relu", "silu", "none"]


def as_autocast(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors in the dtype of an enclosing `torch.autocast`, which doesn't cast for our kernels."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    return tuple(tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors)


def depthwise_conv3d(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolves each channel on its own; height and width are padded with zeros, time isn't padded.

    Args:
        clip: `[B, C, T + k - 1, H, W]`.
        weight: `[C, 1, k, k, k]`, k being 3, 5 or 7.
        bias: `[C]`.

    Returns:
        `[B, C, T, H, W]`, channels last.
    """
    if clip.is_cuda:
        from nas.kernels.depthwise import depthwise_conv3d as on_gpu

        return on_gpu(*as_autocast(clip, weight, bias))
    from nas.cpu_kernels.depthwise import depthwise_conv3d as on_cpu

    return on_cpu(clip, weight, bias)


def norm_activate(
    clip: Tensor, norm: Norm, activation: Activation, eps: float, padding: tuple[int, int] = (0, 0)
) -> tuple[Tensor, Tensor]:
    """Normalises a clip over its channels, activates it and repeats its first and last frame.

    Args:
        clip: `[B, C, T, H, W]`.
        norm: "rms" divides by the root mean square over channels, "layer" subtracts the mean first.
        activation: applied after the norm.
        eps: added to the mean square.
        padding: how often the first frame is repeated before it, and the last after it.

    Returns:
        `[B, C, T + sum(padding), H, W]`, channels last, and the clip itself: what else is computed from it
        should take this one, whose gradient is then added in the same pass.
    """
    if clip.is_cuda:
        from nas.kernels.norm import norm_activate as on_gpu

        (clip,) = as_autocast(clip)
        return on_gpu(clip, norm, activation, eps, padding)
    from nas.cpu_kernels.norm import norm_activate as on_cpu

    return on_cpu(clip, norm, activation, eps, padding)
