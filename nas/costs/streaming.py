"""What decoding latent by latent costs: the third way to decode, for designs that are causal in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from torch import nn

from nas.costs.blocks import Block, Decodable, Design, Source, block_of
from nas.costs.chains import stage_costs, sum_costs
from nas.costs.device import DeviceProfile, Execution
from nas.costs.ensemble import sampled
from nas.costs.identity import identity
from nas.costs.modes import Mode
from nas.lowering import Lowering
from nas.lowering.decoder import lower_link
from nas.lowering.streaming import StreamingBlock, why_not_streamable

STREAMED: Lowering = "shifted_2d"  # the form that is streamed


def streamed(
    decoder: Decodable, latent: Sequence[int], profile: DeviceProfile, source: Source
) -> Mode | None:
    """A latent [1, C, T, H, W] frame by frame; None for what can't be: it looks ahead, or is no design.

    The first latent has a program of its own, which shares its weights with that of all later ones. Between
    calls only states stay in memory; frames leave as they are decoded. Each call after the first starts a
    program anew, which takes as long as a change of units.
    """
    if profile.runtime != "coreml" or not isinstance(decoder, Design) or why_not_streamable(decoder.config):
        return None
    shape = (1, latent[1], *latent[3:])
    first, states = _blocks(decoder, shape, profile, source, first=True)
    stages = stage_costs(first, source, profile)
    latency = sum_costs([cost for _, cost in stages]).latency_ms
    if latent[2] > 1:
        later, states = _blocks(decoder, shape, profile, source, first=False)
        calls = latent[2] - 1
        stages = [
            (name, cost + replace(next_cost.repeated(calls), params=0))
            for (name, cost), (_, next_cost) in zip(stages, stage_costs(later, source, profile), strict=True)
        ]
        name, cost = stages[0]
        stages[0] = (name, replace(cost, latency=cost.latency + calls * sampled(profile).switch * 1e3))
    total = sum_costs([cost for _, cost in stages])
    memory = (total.params + states) * profile.element_bytes + total.peak_activation_bytes
    what = f"{latent[2]} latents one after the other"
    return Mode("streamed", STREAMED, source, tuple(stages), total, memory, latency, shape, what)


def _blocks(
    design: Design, latent: Sequence[int], profile: DeviceProfile, source: Source, first: bool
) -> tuple[list[Block], int]:
    """The blocks of the program for one latent [1, C, H, W], and the elements of all states."""
    blocks: list[Block] = []
    elements = 0
    shape = tuple(latent)
    for stage, chain in design.stages:
        for name, module in chain:
            key = (identity(module, shape), source, profile.execution, first)
            if key not in _streamed:
                _streamed[key] = _block(module, shape, profile, source, first)
            block, kept = _streamed[key]
            blocks.append(replace(block, stage=stage, name=name))
            elements += kept
            shape = block.program.output_shape
    return blocks, elements


# What this process has seen, by what a block is and the frames that reach it: with the size of its states.
_streamed: dict[tuple[str, Source, Execution, bool], tuple[Block, int]] = {}


def _block(
    module: nn.Module, shape: Sequence[int], profile: DeviceProfile, source: Source, first: bool
) -> tuple[Block, int]:
    ((_, lowered),) = lower_link("", module, STREAMED, "frames")
    block = StreamingBlock(lowered, first).eval()
    states = block.state_shapes(shape)
    given = [] if first else states
    elements = sum(prod(state) for state in states)
    return block_of("", "", block, shape, source, profile.execution, given), elements
