"""The convolutions that residual blocks are made of. Each keeps time, height and width.

All are called with (in_channels, out_channels, kernel_size, causal) and map [B, in, T, H, W] to
[B, out, T, H, W]. Height and width are padded with zeros, time as `pad_time` says. With kernel_size 1 each is
the pointwise map that a shortcut uses.
"""

import torch
from torch import nn

from search_space.frames import fold_frames, pad_time, unfold_frames
from search_space.operators import CONVOLUTIONS


def build_convolution(
    name: str, in_channels: int, out_channels: int, causal: bool, shortcut: bool = False
) -> nn.Module:
    """The convolution of that name in `CONVOLUTIONS`; for a shortcut, with kernel size 1."""
    operator = CONVOLUTIONS[name]
    kernel_size = 1 if shortcut else operator.kernel_size
    module: nn.Module = globals()[operator.module](in_channels, out_channels, kernel_size, causal)
    return module


class DenseConvolution(nn.Module):
    """k x k x k, every channel with every other."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, causal: bool = False
    ) -> None:
        super().__init__()
        edge = kernel_size // 2
        self.causal = causal
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=(0, edge, edge))

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        convolved: torch.Tensor = self.conv(pad_time(clip, self.conv.kernel_size[0], self.causal))
        return convolved


class DepthwiseSeparableConvolution(nn.Module):
    """k x k x k in each channel, then 1x1x1 across channels, as published (both also where k is 1)."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, causal: bool) -> None:
        super().__init__()
        edge = kernel_size // 2
        self.causal = causal
        self.depthwise_conv = nn.Conv3d(
            in_channels, in_channels, kernel_size, padding=(0, edge, edge), groups=in_channels
        )
        self.pointwise_conv = nn.Conv3d(in_channels, out_channels, 1)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        padded = pad_time(clip, self.depthwise_conv.kernel_size[0], self.causal)
        convolved: torch.Tensor = self.pointwise_conv(self.depthwise_conv(padded))
        return convolved


class SpatialConvolution(nn.Module):
    """k x k in each frame, which sees no other frame."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, causal: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return unfold_frames(self.conv(fold_frames(clip)), batch=clip.shape[0])


class TwoFrameConvolution(nn.Module):
    """k x k over the channels of a frame and of the one before it: the memory of TAEHV's blocks.

    Before the first frame stands the first frame again, as everywhere in this family (TAEHV has zeros). It
    never looks ahead. A shortcut (kernel size 1) has no memory, as in TAEHV.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, causal: bool) -> None:
        super().__init__()
        self.frames = 1 if kernel_size == 1 else 2
        self.conv = nn.Conv2d(self.frames * in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        pairs = clip
        if self.frames == 2:
            # Of a single frame nothing comes before it; an empty slice would break Core ML's conversion.
            before = torch.cat([clip[:, :, :1], clip[:, :, :-1]], dim=2) if clip.shape[2] > 1 else clip
            pairs = torch.cat([clip, before], dim=1)
        return unfold_frames(self.conv(fold_frames(pairs)), batch=clip.shape[0])


class FactoredConvolution(nn.Module):
    """(2+1)D: k x k in each frame, then k frames at each place (Tran et al., CVPR 2018, arXiv 1711.11248).

    No non-linearity stands between. The second is written as a 2D convolution over [B, C, T, H*W], since Core
    ML keeps 3D ones off the Neural Engine.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.spatial_conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        # A shortcut is one pointwise map, not two in a row.
        self.temporal_conv = (
            nn.Conv2d(out_channels, out_channels, (kernel_size, 1)) if kernel_size > 1 else None
        )

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        clip = unfold_frames(self.spatial_conv(fold_frames(clip)), batch=clip.shape[0])
        if self.temporal_conv is None:
            return clip
        padded = pad_time(clip, self.temporal_conv.kernel_size[0], self.causal)
        return self.temporal_conv(padded.flatten(3)).reshape(clip.shape)
