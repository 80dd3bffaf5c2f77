"""Decoding latent by latent: what a design that is causal in time allows, equal to decoding the whole clip.

Frames stay in layout "frames", as "shifted_2d" lowers them. A convolution over time remembers the frames that
its window saw before: its state. The first latent, which has nothing before it and loses frames where time is
doubled, has a program of its own; every later one gives as many frames as the compression says.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.func import functional_call

from nas.lowering.convolutions import TemporalConvolution, repeated_borders
from nas.lowering.decoder import BlockChain, LoweredDecoder, lower
from nas.lowering.layouts import LoweredBlock, ToClip, ToFrames
from nas.lowering.upsamplers import LoweredUpsampler
from search_space import DecoderConfig
from search_space.decoder import Decoder
from search_space.errors import UserError
from search_space.operators import CONVOLUTIONS

NEVER_LOOK_AHEAD = ("SpatialConvolution", "TwoFrameConvolution")


def why_not_streamable(config: DecoderConfig) -> str | None:
    """What of the design looks ahead in time, or None where it can be decoded latent by latent."""
    if not config.is_causal():
        return (
            f"its dense convolutions look ahead in time (time padding {config.time_padding!r}, not 'causal')"
        )
    for index, stage in enumerate(config.stages):
        built = stage.blocks or config.has_conv_in(index)
        looks_ahead = CONVOLUTIONS[stage.conv].module not in NEVER_LOOK_AHEAD
        if built and looks_ahead and not config.is_causal(stage.conv):
            return f"its {stage.conv} convolutions look ahead in time (time padding {config.time_padding!r})"
    return None


def stream(decoder: Decoder, first: bool) -> StreamingDecoder:
    """The program that decodes one latent frame: the `first` of a clip, or any later one.

    Raises:
        UserError: for a design that `why_not_streamable`.
    """
    if reason := why_not_streamable(decoder.config):
        raise UserError(f"design {decoder.config.hash} can't be streamed: {reason}")
    return stream_lowered(lower(decoder, "shifted_2d"), first)


def stream_lowered(lowered: LoweredDecoder, first: bool) -> StreamingDecoder:
    """As `stream`, of a decoder as "shifted_2d" lowers it, whose blocks are taken over."""
    stages = []
    for stage, blocks in lowered.stages():
        kept = [
            (name, StreamingBlock(block, first))
            for name, block in blocks
            if isinstance(block, LoweredBlock) and not isinstance(block, (ToFrames, ToClip))
        ]
        stages.append((stage, kept))
    return StreamingDecoder(stages)


class StreamingBlock(nn.Module):
    """A lowered block with its memory: (frames [T, C, H, W], *states) -> (frames [T', C', H', W'], *states).

    `first` is without states to read, and gives the first ones.
    """

    def __init__(self, block: LoweredBlock, first: bool) -> None:
        super().__init__()
        self.block, self.first = block, first
        if isinstance(block, LoweredUpsampler) and not first:
            block.drops_first_frame = False
        self.memories = [
            (module.before, module.in_channels)
            for module in block.modules()
            if isinstance(module, TemporalConvolution)
        ]

    def state_shapes(self, input_shape: Sequence[int]) -> list[tuple[int, ...]]:
        """Shapes of the states where frames of `input_shape` [T, C, H, W] come in."""
        return [(frames, channels, *input_shape[-2:]) for frames, channels in self.memories]

    def forward(self, frames: torch.Tensor, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        memory = Memory(None if self.first else states)
        decoded = self.block(frames, memory)
        return (decoded, *memory.remembered)


class Memory:
    """The `Borders` of frames that continue others: given in order of the convolutions that ask for them."""

    def __init__(self, states: Sequence[torch.Tensor] | None) -> None:
        """`states` are those that the call before gave, None where there was none."""
        self.states = None if states is None else list(states)
        self.remembered: list[torch.Tensor] = []

    def __call__(
        self, frames: torch.Tensor, before: int, after: int
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        assert after == 0, "what looks ahead can't be streamed"
        if self.states is None:
            earlier, _ = repeated_borders(frames, before, 0)
        else:
            earlier = self.states.pop(0)
        assert earlier is not None
        self.remembered.append(_last(torch.cat([earlier, frames]), before))
        return earlier, None


def _last(frames: torch.Tensor, count: int) -> torch.Tensor:
    return frames[frames.shape[0] - count :]


class StreamingDecoder(BlockChain):
    """`StreamingBlock`s in a row: (latent [1, C, H, W], *states) -> (frames [T', 3, H', W'], *states)."""

    def state_shapes(self, latent_shape: Sequence[int]) -> list[tuple[int, ...]]:
        """Shapes of all states, in the order in which they are given and taken, for a latent [1, C, H, W]."""
        shapes: list[tuple[int, ...]] = []
        frames = torch.empty(tuple(latent_shape), device="meta")
        for block in self.chain:
            assert isinstance(block, StreamingBlock)
            own = block.state_shapes(frames.shape)
            states = [] if block.first else [torch.empty(shape, device="meta") for shape in own]
            weights = {name: weight.to("meta") for name, weight in block.named_parameters()}
            frames, *_ = functional_call(block, weights, (frames, *states))
            shapes += own
        return shapes

    def forward(self, frames: torch.Tensor, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given, remembered = list(states), []
        for block in self.chain:
            assert isinstance(block, StreamingBlock)
            count = 0 if block.first else len(block.memories)
            frames, *new = block(frames, *given[:count])
            given = given[count:]
            remembered += new
        return (frames, *remembered)
