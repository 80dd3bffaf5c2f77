"""Norm over channels, activation and padding in time of channels-last clips, in few passes over memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from nas.block_kernels import Activation, Norm


def norm_activate(
    clip: Tensor, norm: Norm, activation: Activation, eps: float, padding: tuple[int, int] = (0, 0)
) -> tuple[Tensor, Tensor]:
    """`nas.block_kernels.norm_activate` on a CPU."""
    places = clip.movedim(1, -1)
    if norm == "rms":
        places = _RootMeanSquare.apply(places.contiguous(), eps)
    elif norm == "layer":
        places = functional.layer_norm(places, places.shape[-1:], eps=eps)
    if activation != "none":
        places = functional.silu(places) if activation == "silu" else functional.relu(places)
    before, after = padding
    if before or after:
        places = torch.cat([places[:, :1]] * before + [places] + [places[:, -1:]] * after, dim=1)
    return places.movedim(-1, 1), clip


class _RootMeanSquare(torch.autograd.Function):
    """`[..., C]` divided by the root mean square over its channels."""

    @staticmethod
    def forward(ctx: Any, places: Tensor, eps: float) -> Tensor:
        factor = _mean(places * places).add_(eps).rsqrt_()
        normed = places * factor
        ctx.save_for_backward(normed, factor)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        normed, factor = ctx.saved_tensors
        of_places = torch.addcmul(gradient, normed, _mean(gradient * normed), value=-1)
        return of_places.mul_(factor), None


def _mean(places: Tensor) -> Tensor:
    """The mean over the channels of `[..., C]`, `[..., 1]`."""
    channels = places.shape[-1]  # few, of which a product takes half the time of `mean`
    return (places @ places.new_full((channels,), 1 / channels)).unsqueeze(-1)
