"""Depthwise k x k x k convolution of channels-last clips by oneDNN, less its slow kernels for gradients.

Forward, oneDNN has a fast 3D kernel; for both gradients it falls back to general ones, ten and more times
slower. So the input's gradient is computed as a forward convolution, and the weights' gradient in pieces that
its depthwise kernel for weight gradients takes: two-dimensional, three columns of a kernel at most.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.grad import conv2d_weight

_COLUMNS = 3  # of a kernel, in one piece


def depthwise_conv3d(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`nas.block_kernels.depthwise_conv3d` on a CPU, for any odd k."""
    convolved: Tensor = _DepthwiseConvolution.apply(clip, weight, bias)
    return convolved


class _DepthwiseConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        clip = clip.contiguous(memory_format=torch.channels_last_3d)
        ctx.save_for_backward(clip, weight)
        edge = weight.shape[-1] // 2
        return functional.conv3d(clip, weight, bias, padding=(0, edge, edge), groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        clip, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
        of_clip, of_weight, of_bias = ctx.needs_input_grad
        return (
            _clip_gradient(gradient, weight) if of_clip else None,
            _weight_gradient(clip, gradient, weight.shape[-1]) if of_weight else None,
            gradient.sum((0, 2, 3, 4)) if of_bias else None,
        )


def _clip_gradient(gradient: Tensor, weight: Tensor) -> Tensor:
    kernel = weight.shape[-1]
    padding = (kernel - 1, kernel // 2, kernel // 2)
    return functional.conv3d(gradient, weight.flip(2, 3, 4), padding=padding, groups=len(weight))


def _weight_gradient(clip: Tensor, gradient: Tensor, kernel: int) -> Tensor:
    """`[C, 1, k, k, k]`; the kernel's frames become channels, so that all are computed at once."""
    batch, channels, frames, height, width = gradient.shape
    pieces, edge, overlap = -(-kernel // _COLUMNS), kernel // 2, _COLUMNS - 1
    padded = functional.pad(clip, (edge, _COLUMNS * pieces - 1 - edge))
    seen = padded.unfold(2, kernel, 1).permute(0, 2, 3, 4, 5, 1)  # [B, T, H, W + ..., k, C]
    again = gradient.permute(0, 2, 3, 4, 1).unsqueeze(4).expand(-1, -1, -1, -1, kernel, -1)
    gradients = again.reshape(batch * frames, height, width, -1).permute(0, 3, 1, 2)
    shape = (kernel * channels, 1, kernel, _COLUMNS)
    parts = []
    for first in range(0, kernel, _COLUMNS):
        columns = seen[:, :, :, first : first + width + overlap]
        inputs = columns.reshape(batch * frames, height, width + overlap, -1).permute(0, 3, 1, 2)
        parts.append(conv2d_weight(inputs, shape, gradients, padding=(edge, 0), groups=shape[0]))
    joined = torch.cat(parts, dim=-1)[..., :kernel]
    return joined.unflatten(0, (kernel, channels)).movedim(0, 2)
