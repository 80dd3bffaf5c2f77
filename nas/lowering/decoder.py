"""`lower`: a decoder as trained becomes the one that is converted, priced and packaged."""

from __future__ import annotations

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
            block = lower_block(module, lowering)
            if block.takes != layout:
                blocks.append((f"{name}.to_{block.takes}", _change_to(block.takes)))
            blocks.append((name, block))
            layout = block.gives
        stages.append((stage, blocks))
    if layout != "clip":
        stages[-1][1].append(("to_clip", ToClip()))
    return LoweredDecoder(stages)


def _change_to(layout: Layout) -> LoweredBlock:
    return ToFrames() if layout == "frames" else ToClip()


class LoweredDecoder(nn.Module):
    """A chain of blocks from latent [1, C, T, H, W] to video [1, 3, T', H', W']."""

    def __init__(self, stages: list[tuple[str, list[tuple[str, LoweredBlock]]]]) -> None:
        super().__init__()
        self.names = [(stage, [name for name, _ in blocks]) for stage, blocks in stages]
        self.chain = nn.ModuleList(block for _, blocks in stages for _, block in blocks)

    def stages(self) -> list[tuple[str, list[tuple[str, nn.Module]]]]:
        """As `Decoder.stages()`; a change of layout is a block of the stage that it leads into."""
        chain = iter(self.chain)
        return [(stage, [(name, next(chain)) for name in names]) for stage, names in self.names]

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Decodes [1, C, T, H, W] to [1, 3, T', H', W']."""
        for block in self.chain:
            latent = block(latent)
        return latent
