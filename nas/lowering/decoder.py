"""`lower`: a decoder as trained becomes the one that is converted, priced and packaged."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nas.lowering import LOWERINGS, Lowering
from nas.lowering.blocks import lower_block
from nas.lowering.layouts import Layout, LoweredBlock, ToClip, ToFrames
from search_space.decoder import Decoder
from search_space.errors import UserError


def lower(decoder: Decoder, lowering: Lowering) -> LoweredDecoder:
    """The decoder for a device, equal to `decoder` to fp32 rounding. Works on meta tensors too.

    Weights are shared with `decoder`, except where they are reordered.

    Raises:
        UserError: for an unknown lowering.
    """
    if lowering not in LOWERINGS:
        raise UserError(f"unknown lowering {lowering!r}: known are {', '.join(LOWERINGS)}")
    layout: Layout = "clip"
    stages: list[tuple[str, list[tuple[str, LoweredBlock]]]] = []
    for stage, chain in decoder.stages():
        blocks: list[tuple[str, LoweredBlock]] = []
        for name, module in chain:
            blocks += lower_link(name, module, lowering, layout)
            layout = blocks[-1][1].gives
        stages.append((stage, blocks))
    stages[-1][1].extend(lower_end(layout))
    return LoweredDecoder(stages)


def lower_link(
    name: str, module: nn.Module, lowering: Lowering, layout: Layout
) -> list[tuple[str, LoweredBlock]]:
    """What a block of `Decoder.stages()` becomes where a tensor in `layout` reaches it: the block, after a
    change of layout where it takes another."""
    block = lower_block(module, lowering)
    if block.takes == layout:
        return [(name, block)]
    change = ToFrames() if block.takes == "frames" else ToClip()
    return [(f"{name}.to_{block.takes}", change), (name, block)]


def lower_end(layout: Layout) -> list[tuple[str, LoweredBlock]]:
    """What follows the last block, which gives `layout`: a video is a clip."""
    return [] if layout == "clip" else [("to_clip", ToClip())]


class BlockChain(nn.Module):
    """Named blocks in a row, in named stages."""

    def __init__(self, stages: Sequence[tuple[str, Sequence[tuple[str, nn.Module]]]]) -> None:
        super().__init__()
        self.names = [(stage, [name for name, _ in blocks]) for stage, blocks in stages]
        self.chain = nn.ModuleList(block for _, blocks in stages for _, block in blocks)

    def stages(self) -> list[tuple[str, list[tuple[str, nn.Module]]]]:
        """As `Decoder.stages()`; a change of layout is a block of the stage that it leads into."""
        chain = iter(self.chain)
        return [(stage, [(name, next(chain)) for name in names]) for stage, names in self.names]


class LoweredDecoder(BlockChain):
    """A chain of `LoweredBlock`s from latent [1, C, T, H, W] to video [1, 3, T', H', W']."""

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decodes [1, C, T, H, W] to [1, 3, T', H', W']."""
        for block in self.chain:
            latent = block(latent)
        return latent
