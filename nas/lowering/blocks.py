"""The other blocks of a lowered decoder, each in the layout of its convolutions."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from nas.lowering import Lowering
from nas.lowering.convolutions import Borders, lower_convolution, repeated_borders
from nas.lowering.layouts import Layout, LoweredBlock
from nas.lowering.norms import ChannelLayerNorm, rms_norm
from nas.lowering.upsamplers import lower_upsampler
from search_space.convolutions import DenseConvolution
from search_space.decoder import OutputConvolution, PatchUpsampler, ResidualBlock


class LoweredConvolution(LoweredBlock):
    """A dense convolution that is a block by itself, such as the decoder's first."""

    def __init__(self, conv: DenseConvolution, lowering: Lowering) -> None:
        super().__init__()
        self.conv = lower_convolution(conv, lowering)
        self.takes = self.gives = self.conv.layout

    def forward(self, x: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        convolved: torch.Tensor = self.conv(x, borders)
        return convolved


class LoweredOutput(LoweredConvolution):
    """norm, SiLU, a dense convolution to the video's channels."""

    stream_scale = 1.0  # of what it reads, as of `rms_norm`; `nas.lowering.rescaling` sets it

    def forward(self, x: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        return super().forward(F.silu(rms_norm(x, self.stream_scale)), borders)


class LoweredResidualBlock(LoweredBlock):
    """`search_space.decoder.ResidualBlock` with norms that are safe in fp16.

    `stream_scale` is that of what it reads, `inner_scale` that of what its first convolution gives
    (`nas.lowering.rescaling`).
    """

    stream_scale = 1.0
    inner_scale = 1.0

    def __init__(self, block: ResidualBlock, lowering: Lowering) -> None:
        super().__init__()
        self.relu_first = block.relu_first
        self.conv1 = lower_convolution(block.conv1, lowering)
        self.conv2 = lower_convolution(block.conv2, lowering)
        self.changes_width = block.changes_width
        if block.changes_width:
            self.norm3 = ChannelLayerNorm(block.norm3)
            self.conv_shortcut = lower_convolution(block.conv_shortcut, lowering)
        self.takes = self.gives = self.conv1.layout

    def forward(self, x: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        first_activation = F.relu if self.relu_first else F.silu
        residual = self.conv1(first_activation(rms_norm(x, self.stream_scale)), borders)
        residual = self.conv2(F.silu(rms_norm(residual, self.inner_scale)), borders)
        shortcut = self.conv_shortcut(self.norm3(x)) if self.changes_width else x
        return shortcut + residual


class LoweredPatchUpsampler(LoweredBlock):
    """norm, SiLU, a 3x3 convolution, a 2x pixel shuffle: [T, C, H, W] -> [T, C/4, 2H, 2W]."""

    takes: Layout = "frames"
    gives: Layout = "frames"
    stream_scale = 1.0  # as of `LoweredOutput`

    def __init__(self, block: PatchUpsampler) -> None:
        super().__init__()
        self.conv = block.conv

    def forward(self, frames: torch.Tensor, borders: Borders = repeated_borders) -> torch.Tensor:
        return F.pixel_shuffle(self.conv(F.silu(rms_norm(frames, self.stream_scale))), 2)


def lower_block(block: nn.Module, lowering: Lowering) -> LoweredBlock:
    """What a block of `Decoder.stages()` becomes."""
    match block:
        case OutputConvolution():
            return LoweredOutput(block, lowering)
        case DenseConvolution():
            return LoweredConvolution(block, lowering)
        case ResidualBlock():
            return LoweredResidualBlock(block, lowering)
        case PatchUpsampler():
            return LoweredPatchUpsampler(block)
    return lower_upsampler(block, lowering)
