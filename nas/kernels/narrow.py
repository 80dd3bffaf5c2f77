"""Convolutions between few channels, of channels-last clips in bf16, in Triton, with their gradients.

cuDNN's kernels for tensor cores are made for many channels and leave them idle at few. Here a program keeps
all output channels of a piece of image for each of the kernel's frames, and reads an input once for all.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas.kernels import vector

_FEW = 16  # channels up to which a program can take twice as many places without spilling registers
_PLACES = 64  # of a frame, that a program works on
_PROGRAMS = 1056  # enough to fill 132 multiprocessors eight times


def narrow_conv3d(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolves; height and width are padded with zeros, time isn't padded.

    Args:
        clip: `[B, in, T + kt - 1, H, W]` on a CUDA device, bf16.
        weight: `[out, in, kt, k, k]`, odd k.
        bias: `[out]`.

    Returns:
        `[B, out, T, H, W]`, channels last.
    """
    convolved: Tensor = _NarrowConvolution.apply(clip, weight, bias)
    return convolved


class _NarrowConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        clip = clip.contiguous(memory_format=torch.channels_last_3d)
        weight = weight.contiguous(memory_format=torch.channels_last_3d)
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
    batch, channels_in, frames, height, width = clip.shape
    channels_out = weight.shape[0] if bias is not None else weight.shape[1]
    kernel_frames, kernel = weight.shape[2:4]
    frames_out = frames + (1 - kernel_frames if bias is not None else kernel_frames - 1)
    convolved = torch.empty(
        (batch, channels_out, frames_out, height, width),
        dtype=clip.dtype,
        device=clip.device,
        memory_format=torch.channels_last_3d,
    )
    read, written = vector(channels_in), vector(channels_out)
    places = _places(channels_in, channels_out)
    _correlate_kernel[triton.cdiv(height * width, places), batch](
        clip,
        weight,
        weight if bias is None else bias,
        convolved,
        frames,
        frames_out,
        height,
        width,
        channels_in // read,
        channels_out // written,
        FRAMES=kernel_frames,
        KERNEL=kernel,
        GRADIENT=bias is None,
        READ=read,
        WRITTEN=written,
        IN=max(16, triton.next_power_of_2(channels_in)),
        OUT=max(16, triton.next_power_of_2(channels_out)),
        PLACES=places,
    )
    return convolved


def _weight_gradient(clip: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the weight, of its shape; parts of it are summed in a fixed order."""
    batch, channels_out, frames, height, width = gradient.shape
    channels_in, kernel_frames, kernel = weight.shape[1:4]
    places = _places(channels_in, channels_out)
    pieces = triton.cdiv(height * width, places)
    each = triton.cdiv(batch * pieces, max(1, _PROGRAMS // kernel))  # pieces of a part
    parts = triton.cdiv(batch * pieces, each)
    taps = kernel_frames, kernel, kernel
    partial = torch.empty((parts, channels_out, *taps, channels_in), dtype=torch.float32, device=clip.device)
    read, of_gradient = vector(channels_in), vector(channels_out)
    _weight_gradient_kernel[kernel, parts](
        clip,
        gradient,
        partial,
        frames,
        height,
        width,
        channels_in // read,
        channels_out // of_gradient,
        pieces,
        batch * pieces,
        each,
        FRAMES=kernel_frames,
        KERNEL=kernel,
        READ=read,
        WRITTEN=of_gradient,
        IN=max(16, triton.next_power_of_2(channels_in)),
        OUT=max(16, triton.next_power_of_2(channels_out)),
        PLACES=places,
        num_warps=2 if max(channels_in, channels_out) <= _FEW else 4,
    )
    return partial.sum(0).movedim(-1, 1).to(weight.dtype)


def _places(channels_in: int, channels_out: int) -> int:
    return 2 * _PLACES if max(channels_in, channels_out) <= _FEW else _PLACES


@triton.jit(do_not_specialize=["frames", "frames_out", "height", "width", "groups_in", "groups_out"])
def _correlate_kernel(
    clip,
    weight,
    bias,
    convolved,
    frames,
    frames_out,
    height,
    width,
    groups_in,
    groups_out,
    FRAMES: tl.constexpr,
    KERNEL: tl.constexpr,
    GRADIENT: tl.constexpr,
    READ: tl.constexpr,
    WRITTEN: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    PLACES: tl.constexpr,
):
    channels_in = groups_in * READ  # written so, the compiler knows what divides it
    channels_out = groups_out * WRITTEN
    edge: tl.constexpr = KERNEL // 2
    plane = height * width
    place = tl.program_id(0) * PLACES + tl.arange(0, PLACES)
    batch = tl.program_id(1).to(tl.int64)
    line = place // width
    column = place % width
    channel_in = tl.arange(0, IN)
    channel_out = tl.arange(0, OUT)
    source = clip + batch * frames * plane * channels_in
    target = convolved + batch * frames_out * plane * channels_out
    target += place[:, None] * channels_out + channel_out[None, :]
    written = (place < plane)[:, None] & (channel_out < channels_out)[None, :]
    # The weight is [out, kt, k, k, in] in memory; its gradient goes from output to input channels.
    if GRADIENT:
        by_in = FRAMES * KERNEL * KERNEL * channels_out
        by_tap = channels_out
        matrix = weight + channel_in[:, None] * by_in + channel_out[None, :]
        empty = tl.zeros([PLACES, OUT], tl.float32)
    else:
        by_out = FRAMES * KERNEL * KERNEL * channels_in
        by_tap = channels_in
        matrix = weight + channel_in[:, None] + channel_out[None, :] * by_out
        first = tl.load(bias + channel_out, mask=channel_out < channels_out, other=0.0).to(tl.float32)
        empty = tl.zeros([PLACES, OUT], tl.float32) + first[None, :]
    used = (channel_in < channels_in)[:, None] & (channel_out < channels_out)[None, :]
    # Sum i is of the output frame that this input frame meets with tap i; the last one is complete after it.
    sums = (empty,) * FRAMES
    behind = 0 if GRADIENT else FRAMES - 1
    for frame in range(frames_out + behind):
        for dh in range(KERNEL):
            near = line + (dh - edge)
            inside = (near >= 0) & (near < height) & (frame < frames)
            for dw in tl.static_range(KERNEL):
                there = column + (dw - edge)
                here = tl.load(
                    source + ((near * width + there) * channels_in)[:, None] + channel_in[None, :],
                    mask=(inside & (there >= 0) & (there < width))[:, None]
                    & (channel_in < channels_in)[None, :],
                    other=0.0,
                )
                added = ()
                for dt in tl.static_range(FRAMES):
                    tap = (dt * KERNEL + dh) * KERNEL + dw
                    if GRADIENT:
                        tap = FRAMES * KERNEL * KERNEL - 1 - tap
                    added = added + (
                        tl.dot(here, tl.load(matrix + tap * by_tap, mask=used, other=0.0), sums[dt]),
                    )
                sums = added
        if frame >= behind:
            tl.store(target, sums[FRAMES - 1], mask=written)
            target += plane * channels_out
        source += plane * channels_in
        sums = (empty,) + sums[: FRAMES - 1]


@triton.jit(
    do_not_specialize=["frames", "height", "width", "groups_in", "groups_out", "pieces", "all_pieces", "each"]
)
def _weight_gradient_kernel(
    clip,
    gradient,
    partial,
    frames,
    height,
    width,
    groups_in,
    groups_out,
    pieces,
    all_pieces,
    each,
    FRAMES: tl.constexpr,
    KERNEL: tl.constexpr,
    READ: tl.constexpr,
    WRITTEN: tl.constexpr,
    IN: tl.constexpr,
    OUT: tl.constexpr,
    PLACES: tl.constexpr,
):
    channels_in = groups_in * READ
    channels_out = groups_out * WRITTEN
    edge: tl.constexpr = KERNEL // 2
    plane = height * width
    dh = tl.program_id(0)
    part = tl.program_id(1)
    channel_in = tl.arange(0, IN)
    channel_out = tl.arange(0, OUT)
    zero = tl.zeros([OUT, IN], tl.float32)
    nothing = tl.zeros([OUT, PLACES], gradient.dtype.element_ty)
    sums = (zero,) * (FRAMES * KERNEL)
    for piece in range(part * each, min((part + 1) * each, all_pieces)):
        batch = (piece // pieces).to(tl.int64)
        place = piece % pieces * PLACES + tl.arange(0, PLACES)
        near = place // width + dh - edge
        column = place % width
        inside = (place < plane) & (near >= 0) & (near < height)
        source = clip + batch * (frames + FRAMES - 1) * plane * channels_in
        above = gradient + batch * frames * plane * channels_out
        above += place[None, :] * channels_out + channel_out[:, None]
        # Gradients of the output frames that this input frame met, with tap 0 first.
        met = (nothing,) * FRAMES
        for frame in range(frames + FRAMES - 1):
            newest = tl.load(
                above,
                mask=(inside & (frame < frames))[None, :] & (channel_out < channels_out)[:, None],
                other=0.0,
            )
            met = (newest,) + met[: FRAMES - 1]
            added = ()
            for dw in tl.static_range(KERNEL):
                there = column + (dw - edge)
                here = tl.load(
                    source + ((near * width + there) * channels_in)[:, None] + channel_in[None, :],
                    mask=(inside & (there >= 0) & (there < width))[:, None]
                    & (channel_in < channels_in)[None, :],
                    other=0.0,
                )
                for dt in tl.static_range(FRAMES):
                    added = added + (tl.dot(met[dt], here, sums[dw * FRAMES + dt]),)
            sums = added
            source += plane * channels_in
            above += plane * channels_out
    taps: tl.constexpr = FRAMES * KERNEL * KERNEL
    target = partial + part.to(tl.int64) * channels_out * taps * channels_in
    target += channel_out[:, None] * taps * channels_in + channel_in[None, :]
    kept = (channel_out < channels_out)[:, None] & (channel_in < channels_in)[None, :]
    for dw in tl.static_range(KERNEL):
        for dt in tl.static_range(FRAMES):
            tap = (dt * KERNEL + dh) * KERNEL + dw
            tl.store(target + tap * channels_in, sums[dw * FRAMES + dt], mask=kept)
