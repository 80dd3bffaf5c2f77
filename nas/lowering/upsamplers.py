"""The upsamplers of a lowered decoder. All give frames; those with a 3D convolution take a clip.

Where time is doubled, the channels of one frame hold two. They are kept as (two frames, C, ...): then
[T, 2*C, H, W] is [2*T, C, H, W] without a copy. Weights trained in another order are reordered here,
so the decoupled pixel shuffle and the three-dimensional one become the same program.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from nas.lowering import Lowering
from nas.lowering.convolutions import Borders, lower_convolution, repeated_borders
from nas.lowering.layouts import Layout, LoweredBlock, to_frames
from search_space.convolutions import DenseConvolution
from search_space.upsamplers import (
    ConvolvedShuffle,
    DecoupledPixelShuffle,
    Interpolation,
    TransposedConvolution,
    Upsampling,
)


class LoweredUpsampler(LoweredBlock):
    """-> [T', out, 2H, 2W]; `drops_first_frame` says whether 2T frames lose their first."""

    takes: Layout = "frames"
    gives: Layout = "frames"

    def __init__(self, asked: Upsampling) -> None:
        super().__init__()
        self.doubles_time = asked.doubles_time
        self.drops_first_frame = asked.doubles_time and not asked.keeps_first_frame

    def in_time(self, frames: torch.Tensor) -> torch.Tensor:
        """[T, st*C, H, W] with the st frames outermost -> [T', C, H, W]."""
        if not self.doubles_time:
            return frames
        time, channels, height, width = frames.shape
        frames = frames.reshape(2 * time, channels // 2, height, width)
        return frames[1:] if self.drops_first_frame else frames


class ShuffleUpsampler(LoweredUpsampler):
    """Either pixel shuffle."""

    def __init__(self, upsampler: ConvolvedShuffle, lowering: Lowering) -> None:
        super().__init__(upsampler.asked)
        self.conv = lower_convolution(_frames_outermost(upsampler), lowering)
        self.takes = self.conv.layout

    def forward(self, x: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        convolved = self.conv(x, borders)
        frames = to_frames(convolved) if self.takes == "clip" else convolved
        return F.pixel_shuffle(self.in_time(frames), 2)


class TransposedUpsampler(LoweredUpsampler):
    """A transposed 2D convolution, trained with the frames outermost."""

    def __init__(self, upsampler: TransposedConvolution) -> None:
        super().__init__(upsampler.asked)
        self.conv = upsampler.conv

    def forward(self, frames: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        return self.in_time(self.conv(frames))


class InterpolationUpsampler(LoweredUpsampler):
    """Frames repeated or grown, resized, convolved."""

    def __init__(self, upsampler: Interpolation) -> None:
        super().__init__(upsampler.asked)
        self.resize, self.grow, self.conv = upsampler.resize, upsampler.grow, upsampler.conv

    def forward(self, frames: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        if self.doubles_time:
            frames = torch.cat([frames, frames], dim=1) if self.grow is None else self.grow(frames)
        resized = F.interpolate(self.in_time(frames), scale_factor=2, mode=self.resize)
        convolved: torch.Tensor = self.conv(resized)
        return convolved


def lower_upsampler(upsampler: nn.Module, lowering: Lowering) -> LoweredUpsampler:
    """What an upsampler of `search_space.upsamplers` becomes."""
    match upsampler:
        case ConvolvedShuffle():
            return ShuffleUpsampler(upsampler, lowering)
        case TransposedConvolution():
            return TransposedUpsampler(upsampler)
        case Interpolation():
            return InterpolationUpsampler(upsampler)
    raise TypeError(f"{type(upsampler).__name__} has no lowering in nas/lowering/upsamplers.py: add it")


def _frames_outermost(upsampler: ConvolvedShuffle) -> DenseConvolution:
    """The convolution of a pixel shuffle with its output channels in the order (st, C, sh, sw)."""
    trained, asked = upsampler.conv, upsampler.asked
    if not asked.doubles_time:
        return trained
    # As trained: (C, sh, sw, st) where time is woven apart, else (C, st, sh, sw).
    decoupled = isinstance(upsampler, DecoupledPixelShuffle)
    split = (asked.out_channels * 4, 2, 1) if decoupled else (asked.out_channels, 2, 4)

    def reordered(parameter: torch.Tensor) -> nn.Parameter:
        by_frame = parameter.detach().unflatten(0, split).transpose(0, 1)
        return nn.Parameter(by_frame.flatten(0, 2))

    with torch.device("meta"):
        conv = DenseConvolution(trained.conv.in_channels, trained.conv.out_channels, causal=trained.causal)
    conv.conv.weight = reordered(trained.conv.weight)
    assert trained.conv.bias is not None
    conv.conv.bias = reordered(trained.conv.bias)
    return conv
