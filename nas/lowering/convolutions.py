"""The convolutions of a lowered decoder: in clips, or in frames.

In frames a convolution over time is a sum of 2D ones, one for each of the frames that its window sees. What
stands before the first frame and after the last is given by `Borders`: repeated frames for a whole clip,
remembered ones where a clip is decoded piece by piece (`nas.lowering.streaming`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nas.lowering import Lowering
from nas.lowering.layouts import Layout
from search_space.convolutions import (
    DenseConvolution,
    DepthwiseSeparableConvolution,
    FactoredConvolution,
    SpatialConvolution,
    TwoFrameConvolution,
)
from search_space.frames import pad_time

Borders = Callable[[torch.Tensor, int, int], tuple[torch.Tensor | None, torch.Tensor | None]]
"""(frames [T, C, H, W], n, m) -> the n frames before them [n, C, H, W], the m after; None where that is 0."""


def repeated_borders(
    frames: torch.Tensor, before: int, after: int
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """The first frame `before` times, the last one `after` times: the `Borders` of a whole clip."""
    return _repeated(frames[:1], before), _repeated(frames[-1:], after)


def _repeated(frame: torch.Tensor, times: int) -> torch.Tensor | None:
    if times == 0:
        return None
    return torch.cat([frame] * times) if times > 1 else frame


class ClipConvolution(nn.Module):
    """A 3D convolution of a whole clip [1, in, T, H, W], border frames repeated, then a pointwise one."""

    layout: Layout = "clip"

    def __init__(self, conv: nn.Conv3d, causal: bool, pointwise: nn.Conv3d | None = None) -> None:
        super().__init__()
        self.conv, self.causal, self.pointwise = conv, causal, pointwise

    def forward(self, clip: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        convolved: torch.Tensor = self.conv(pad_time(clip, self.conv.kernel_size[0], self.causal))
        return convolved if self.pointwise is None else self.pointwise(convolved)


class TemporalConvolution(nn.Module):
    """Sees `before` earlier and `after` later frames: (frames [T, in, H, W], those) -> [T, out, H, W]."""

    in_channels: int
    before: int
    after: int


class ShiftedConvolution(TemporalConvolution):
    """A convolution over time as a sum of 2D ones, one for each frame of its window."""

    def __init__(self, conv: nn.Conv3d, causal: bool) -> None:
        """`conv` is dense or depthwise, of odd edge."""
        super().__init__()
        taps = conv.kernel_size[0]
        self.in_channels = conv.in_channels
        self.before = taps - 1 if causal else taps // 2
        self.after = taps - 1 - self.before
        # The bias is added once, with the frame itself.
        self.taps = nn.ModuleList(_tap(conv, index, bias=index == self.before) for index in range(taps))

    def forward(
        self, frames: torch.Tensor, before: torch.Tensor | None, after: torch.Tensor | None
    ) -> torch.Tensor:
        padded = torch.cat([part for part in (before, frames, after) if part is not None])
        total: torch.Tensor = self.taps[self.before](frames)
        for index, tap in enumerate(self.taps):
            if index != self.before:
                total = total + tap(padded[index : index + frames.shape[0]])
        return total


class PreviousFrameConvolution(TemporalConvolution):
    """A 2D convolution over the channels of a frame and of the one before it."""

    before, after = 1, 0

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.in_channels = conv.in_channels // 2
        self.conv = conv

    def forward(self, frames: torch.Tensor, before: torch.Tensor, after: torch.Tensor | None) -> torch.Tensor:
        # An empty slice would break Core ML's conversion.
        previous = torch.cat([before, frames[:-1]]) if frames.shape[0] > 1 else before
        convolved: torch.Tensor = self.conv(torch.cat([frames, previous], dim=1))
        return convolved


class FramesConvolution(nn.Module):
    """2D convolutions and `TemporalConvolution`s in a row: [T, in, H, W] -> [T, out, H, W]."""

    layout: Layout = "frames"

    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, frames: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        for step in self.steps:
            if isinstance(step, TemporalConvolution):
                frames = step(frames, *borders(frames, step.before, step.after))
            else:
                frames = step(frames)
        return frames


def lower_convolution(conv: nn.Module, lowering: Lowering) -> ClipConvolution | FramesConvolution:
    """What a convolution of `search_space.convolutions` becomes; its weights are shared, not copied."""
    match conv:
        case DenseConvolution() if lowering == "conv3d":
            return ClipConvolution(conv.conv, conv.causal)
        case DepthwiseSeparableConvolution() if lowering == "conv3d":
            return ClipConvolution(conv.depthwise_conv, conv.causal, conv.pointwise_conv)
        case DenseConvolution():
            return FramesConvolution(_in_frames(conv.conv, conv.causal))
        case DepthwiseSeparableConvolution():
            return FramesConvolution(
                _in_frames(conv.depthwise_conv, conv.causal), _tap(conv.pointwise_conv, 0)
            )
        case SpatialConvolution():
            return FramesConvolution(conv.conv)
        case TwoFrameConvolution():
            return FramesConvolution(PreviousFrameConvolution(conv.conv) if conv.frames == 2 else conv.conv)
        case FactoredConvolution(temporal_conv=None):
            return FramesConvolution(conv.spatial_conv)
        case FactoredConvolution():
            return FramesConvolution(conv.spatial_conv, ShiftedConvolution(_over_time(conv), conv.causal))
    raise TypeError(f"{type(conv).__name__} has no lowering in nas/lowering/convolutions.py: add it")


def _in_frames(conv: nn.Conv3d, causal: bool) -> nn.Module:
    return _tap(conv, 0) if conv.kernel_size[0] == 1 else ShiftedConvolution(conv, causal)


def _tap(conv: nn.Conv3d, index: int, bias: bool = True) -> nn.Conv2d:
    """The 2D convolution that `conv` does with the frame at `index` of its window."""
    _, height, width = conv.kernel_size
    tap = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        (height, width),
        padding=(height // 2, width // 2),
        groups=conv.groups,
        bias=bias,
        device="meta",
    )
    tap.weight = nn.Parameter(conv.weight.detach()[:, :, index])
    if bias:
        tap.bias = conv.bias
    return tap


def _over_time(factored: FactoredConvolution) -> nn.Conv3d:
    """The (k, 1) convolution over [C, T, H*W] of a factored one, as one of (k, 1, 1) over [C, T, H, W]."""
    temporal = factored.temporal_conv
    assert temporal is not None
    kernel = (temporal.kernel_size[0], 1, 1)
    conv = nn.Conv3d(temporal.in_channels, temporal.out_channels, kernel, device="meta")
    conv.weight, conv.bias = nn.Parameter(temporal.weight.detach().unsqueeze(-1)), temporal.bias
    return conv
