"""Norm over channels, activation and padding in time of channels-last clips, as one Triton kernel each way.

A residual block normalises, activates and pads its clip before either convolution: five passes over memory
that are one here. Backward computes the norm again instead of keeping it.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from nas.block_kernels import Activation, Norm
from nas.kernels import vector

_TILE = 2048  # numbers a program works on


def norm_activate(
    clip: Tensor,
    norm: Norm,
    activation: Activation,
    eps: float,
    padding: tuple[int, int] = (0, 0),
) -> tuple[Tensor, Tensor]:
    """`nas.block_kernels.norm_activate` on a CUDA device; the arithmetic is in fp32."""
    activated, itself = _NormActivation.apply(clip, norm, activation, eps, padding)
    return activated, itself


class _NormActivation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, clip: Tensor, norm: Norm, activation: Activation, eps: float, padding: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        clip = clip.contiguous(memory_format=torch.channels_last_3d)
        ctx.save_for_backward(clip)
        ctx.arguments = norm, activation, eps, padding
        ctx.set_materialize_grads(False)
        batch, channels, frames, height, width = clip.shape
        activated = torch.empty(
            (batch, channels, frames + sum(padding), height, width),
            dtype=clip.dtype,
            device=clip.device,
            memory_format=torch.channels_last_3d,
        )
        places = activated.numel() // channels
        _launch(_forward_kernel, places, clip, (activated,), norm, activation, eps, padding)
        return activated, clip.view_as(clip)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor | None, of_itself: Tensor | None
    ) -> tuple[Tensor | None, None, None, None, None]:
        if gradient is None:
            return of_itself, None, None, None, None
        (clip,) = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
        also = gradient if of_itself is None else of_itself.contiguous(memory_format=torch.channels_last_3d)
        of_clip = torch.empty_like(clip)
        places = clip.numel() // clip.shape[1]
        _launch(
            _backward_kernel,
            places,
            clip,
            (gradient, also, of_clip),
            *ctx.arguments,
            ALSO=of_itself is not None,
        )
        return of_clip, None, None, None, None


def _launch(
    kernel: Any,
    places: int,
    clip: Tensor,
    others: tuple[Tensor, ...],
    norm: Norm,
    activation: Activation,
    eps: float,
    padding: tuple[int, int],
    **more: bool,
) -> None:
    _, channels, frames, height, width = clip.shape
    step = vector(channels)
    lanes = triton.next_power_of_2(channels)
    rows = max(1, _TILE // lanes)
    kernel[(triton.cdiv(places, rows),)](
        clip,
        *others,
        places,
        frames,
        height * width,
        channels // step,
        *padding,
        eps,
        NORM=norm,
        ACTIVATION=activation,
        VECTOR=step,
        ROWS=rows,
        LANES=lanes,
        **more,
    )


@triton.jit
def _normalise(values, channels, inside, eps, NORM: tl.constexpr):
    """A row's normalised values and what they were multiplied by."""
    if NORM == "none":
        return values, tl.full([values.shape[0], 1], 1.0, tl.float32)
    if NORM == "layer":
        values = tl.where(inside, values - (tl.sum(values, 1) / channels)[:, None], 0.0)
    scale = tl.rsqrt(tl.sum(values * values, 1) / channels + eps)[:, None]
    return values * scale, scale


@triton.jit(do_not_specialize=["places", "frames", "plane", "groups", "before", "after"])
def _forward_kernel(
    clip,
    activated,
    places,
    frames,
    plane,
    groups,
    before,
    after,
    eps,
    NORM: tl.constexpr,
    ACTIVATION: tl.constexpr,
    VECTOR: tl.constexpr,
    ROWS: tl.constexpr,
    LANES: tl.constexpr,
):
    channels = groups * VECTOR
    place = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    channel = tl.arange(0, LANES)[None, :]
    inside = (place < places) & (channel < channels)
    frame = place // plane
    padded = frames + before + after
    batch = frame // padded
    frame = tl.minimum(tl.maximum(frame % padded - before, 0), frames - 1)
    source = clip + ((batch * frames + frame) * plane + place % plane) * channels + channel
    values = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    values, _ = _normalise(values, channels, inside, eps, NORM)
    if ACTIVATION == "relu":
        values = tl.maximum(values, 0.0)
    if ACTIVATION == "silu":
        values = values * tl.sigmoid(values)
    tl.store(activated + place * channels + channel, values, mask=inside)


@triton.jit(do_not_specialize=["places", "frames", "plane", "groups", "before", "after"])
def _backward_kernel(
    clip,
    gradient,
    also,
    of_clip,
    places,
    frames,
    plane,
    groups,
    before,
    after,
    eps,
    NORM: tl.constexpr,
    ACTIVATION: tl.constexpr,
    VECTOR: tl.constexpr,
    ROWS: tl.constexpr,
    LANES: tl.constexpr,
    ALSO: tl.constexpr,
):
    channels = groups * VECTOR
    place = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    channel = tl.arange(0, LANES)[None, :]
    inside = (place < places) & (channel < channels)
    frame = place // plane
    batch = frame // frames
    frame = frame % frames
    padded = frames + before + after
    own = gradient + ((batch * padded + before + frame) * plane + place % plane) * channels + channel
    change = tl.load(own, mask=inside, other=0.0).to(tl.float32)
    for i in range(1, before + 1):
        change += tl.load(own - i * plane * channels, mask=inside & (frame == 0), other=0.0).to(tl.float32)
    for i in range(1, after + 1):
        repeated = inside & (frame == frames - 1)
        change += tl.load(own + i * plane * channels, mask=repeated, other=0.0).to(tl.float32)
    values = tl.load(clip + place * channels + channel, mask=inside, other=0.0).to(tl.float32)
    values, scale = _normalise(values, channels, inside, eps, NORM)
    if ACTIVATION == "relu":
        change = tl.where(values > 0, change, 0.0)
    if ACTIVATION == "silu":
        share = tl.sigmoid(values)
        change = change * share * (1 + values * (1 - share))
    if NORM != "none":
        along = tl.sum(change * values, 1) / channels
        if NORM == "layer":
            change -= (tl.sum(change, 1) / channels)[:, None]
        change = (change - values * along[:, None]) * scale
    if ALSO:
        change += tl.load(also + place * channels + channel, mask=inside, other=0.0).to(tl.float32)
    tl.store(of_clip + place * channels + channel, change, mask=inside)
