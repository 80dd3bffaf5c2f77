"""Depthwise k x k x k convolution of channels-last clips in Triton, with its gradients.

PyTorch's own 3D depthwise kernels read their input again for each of the k * k * k taps. Here a program goes
through the frames of a piece of image with k sums in registers, one for each output frame that the current
input frame contributes to: k multiplications a number read, summed in fp32 whatever the dtype.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas.kernels import vector

_TILES = {3: (4, 512), 5: (2, 1024), 7: (2, 512)}  # rows and numbers of a row, without spilling registers
_LANES = {3: 1024, 5: 512, 7: 256}  # numbers of a row in the weights' gradient, which keeps k * k sums
_PROGRAMS = 1056  # enough to fill 132 multiprocessors eight times


def depthwise_conv3d(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`nas.block_kernels.depthwise_conv3d` on a CUDA device, of fp32 or bf16."""
    convolved: Tensor = _DepthwiseConvolution.apply(clip, weight, bias)
    return convolved


class _DepthwiseConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        clip = clip.contiguous(memory_format=torch.channels_last_3d)
        ctx.save_for_backward(clip, weight)
        return _correlate(clip, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        clip, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
        of_clip, of_weight, of_bias = ctx.needs_input_grad
        return (
            _correlate(gradient, weight, None) if of_clip else None,
            _weight_gradient(clip, gradient, weight) if of_weight else None,
            gradient.sum((0, 2, 3, 4)) if of_bias else None,
        )


def _correlate(clip: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution or, without a bias, its gradient: full in time, with the taps in reverse."""
    batch, channels, frames, height, width = clip.shape
    kernel = weight.shape[-1]
    reach = 1 - kernel if bias is not None else kernel - 1
    convolved = torch.empty(
        (batch, channels, frames + reach, height, width),
        dtype=clip.dtype,
        device=clip.device,
        memory_format=torch.channels_last_3d,
    )
    rows, numbers = _TILES[kernel]
    step = vector(channels)
    _correlate_kernel[triton.cdiv(width * channels, numbers), triton.cdiv(height, rows), batch](
        clip,
        weight.flatten(1).t().contiguous(),
        weight if bias is None else bias,
        convolved,
        frames,
        frames + reach,
        height,
        width,
        channels // step,
        KERNEL=kernel,
        GRADIENT=bias is None,
        VECTOR=step,
        ROWS=rows,
        NUMBERS=numbers,
    )
    return convolved


def _weight_gradient(clip: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the weight, `[C, 1, k, k, k]`; parts of it are summed in a fixed order."""
    batch, channels, frames, height, width = gradient.shape
    kernel = weight.shape[-1]
    lanes = _LANES[kernel]
    blocks = triton.cdiv(width * channels, lanes)
    rows = triton.cdiv(batch * height, max(1, _PROGRAMS // (kernel * blocks)))  # of each part
    parts = triton.cdiv(batch * height, rows)
    partial = torch.empty((parts, kernel**3, width, channels), dtype=torch.float32, device=clip.device)
    step = vector(channels)
    _weight_gradient_kernel[blocks, kernel, parts](
        clip,
        gradient,
        partial,
        frames,
        height,
        width,
        channels // step,
        batch * height,
        rows,
        KERNEL=kernel,
        VECTOR=step,
        NUMBERS=lanes,
    )
    return partial.sum((0, 2)).t().reshape(weight.shape).to(weight.dtype)


@triton.jit(do_not_specialize=["frames", "frames_out", "height", "width", "groups"])
def _correlate_kernel(
    clip,
    taps,
    bias,
    convolved,
    frames,
    frames_out,
    height,
    width,
    groups,
    KERNEL: tl.constexpr,
    GRADIENT: tl.constexpr,
    VECTOR: tl.constexpr,
    ROWS: tl.constexpr,
    NUMBERS: tl.constexpr,
):
    channels = groups * VECTOR  # written so, the compiler knows what divides it
    row = width * channels
    edge: tl.constexpr = KERNEL // 2
    number = tl.program_id(0) * NUMBERS + tl.arange(0, NUMBERS)[None, :]
    channel = number % channels
    line = tl.program_id(1) * ROWS + tl.arange(0, ROWS)[:, None]
    batch = tl.program_id(2).to(tl.int64)
    source = clip + batch * frames * height * row
    target = convolved + batch * frames_out * height * row + line * row + number
    # Sum i is of the output frame that this input frame meets with tap i; the last one is complete after it.
    empty = tl.zeros([ROWS, NUMBERS], tl.float32)
    if not GRADIENT:
        empty += tl.load(bias + channel).to(tl.float32)
    sums = (empty,) * KERNEL
    behind = 0 if GRADIENT else KERNEL - 1
    for frame in range(frames_out + behind):
        for dh in range(KERNEL):
            near = line + (dh - edge)
            inside = (near >= 0) & (near < height) & (frame < frames)
            for dw in tl.static_range(KERNEL):
                there = number + (dw - edge) * channels
                here = tl.load(
                    source + near * row + there, mask=inside & (there >= 0) & (there < row), other=0.0
                ).to(tl.float32)
                added = ()
                for dt in tl.static_range(KERNEL):
                    tap = (dt * KERNEL + dh) * KERNEL + dw
                    if GRADIENT:
                        tap = KERNEL * KERNEL * KERNEL - 1 - tap
                    added = added + (
                        sums[dt] + here * tl.load(taps + tap * channels + channel).to(tl.float32),
                    )
                sums = added
        if frame >= behind:
            tl.store(target, sums[KERNEL - 1], mask=(line < height) & (number < row))
            target += height * row
        source += height * row
        sums = (empty,) + sums[: KERNEL - 1]


@triton.jit(do_not_specialize=["frames", "height", "width", "groups", "lines", "lines_each"])
def _weight_gradient_kernel(
    clip,
    gradient,
    partial,
    frames,
    height,
    width,
    groups,
    lines,
    lines_each,
    KERNEL: tl.constexpr,
    VECTOR: tl.constexpr,
    NUMBERS: tl.constexpr,
):
    channels = groups * VECTOR
    row = width * channels
    edge: tl.constexpr = KERNEL // 2
    number = tl.program_id(0) * NUMBERS + tl.arange(0, NUMBERS)
    dh = tl.program_id(1)
    part = tl.program_id(2)
    zero = tl.zeros([NUMBERS], tl.float32)
    sums = (zero,) * (KERNEL * KERNEL)
    for line in range(part * lines_each, min((part + 1) * lines_each, lines)):
        batch = (line // height).to(tl.int64)
        near = line % height + dh - edge
        inside = (near >= 0) & (near < height)
        source = clip + (batch * (frames + KERNEL - 1) * height + near) * row
        above = gradient + (batch * frames * height + line % height) * row + number
        # Gradients of the output frames that this input frame met, with tap 0 first.
        met = (zero,) * KERNEL
        for frame in range(frames + KERNEL - 1):
            newest = tl.load(above, mask=(number < row) & inside & (frame < frames), other=0.0).to(tl.float32)
            met = (newest,) + met[: KERNEL - 1]
            added = ()
            for dw in tl.static_range(KERNEL):
                there = number + (dw - edge) * channels
                here = tl.load(source + there, mask=inside & (there >= 0) & (there < row), other=0.0).to(
                    tl.float32
                )
                for dt in tl.static_range(KERNEL):
                    added = added + (sums[dw * KERNEL + dt] + here * met[dt],)
            sums = added
            source += height * row
            above += height * row
    target = partial + (part.to(tl.int64) * KERNEL * KERNEL * KERNEL + dh * KERNEL) * row + number
    for dw in tl.static_range(KERNEL):
        for dt in tl.static_range(KERNEL):
            tap = dt * KERNEL * KERNEL + dw
            tl.store(target + tap * row, sums[dw * KERNEL + dt], mask=number < row)
