"""What decoding latent by latent costs: the third way to decode, for designs that are causal in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import torch

from nas.costs.blocks import Block, Decodable, Design, Source, block_of
from nas.costs.chains import stage_costs, sum_costs
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import sampled
from nas.costs.modes import Mode
from nas.lowering import Lowering
from nas.lowering.streaming import StreamingBlock, stream, why_not_streamable
from search_space import DecoderConfig, build_decoder

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
    first, states = _blocks(decoder.config, shape, profile, source, first=True)
    stages = stage_costs(first, source, profile)
    latency = sum_costs([cost for _, cost in stages]).latency_ms
    if latent[2] > 1:
        later, states = _blocks(decoder.config, shape, profile, source, first=False)
        calls = latent[2] - 1
        stages = [
            (name, cost + replace(next_cost.repeated(calls), params=0))
            for (name, cost), (_, next_cost) in zip(stages, stage_costs(later, source, profile), strict=True)
        ]
        name, cost = stages[0]
        stages[0] = (name, replace(cost, latency=cost.latency + calls * sampled(profile).switch * 1e3))
    total = sum_costs([cost for _, cost in stages])
    memory = (total.params + sum(states)) * profile.element_bytes + total.peak_activation_bytes
    what = f"{latent[2]} latents one after the other"
    return Mode("streamed", STREAMED, source, tuple(stages), total, memory, latency, shape, what)


def _blocks(
    config: DecoderConfig, latent: Sequence[int], profile: DeviceProfile, source: Source, first: bool
) -> tuple[list[Block], list[int]]:
    """The blocks of the program for one latent [1, C, H, W], and the elements of every state."""
    with torch.device("meta"):
        decoder = stream(build_decoder(config).eval(), first).eval()
    blocks: list[Block] = []
    elements: list[int] = []
    shape = tuple(latent)
    for stage, chain in decoder.stages():
        for name, module in chain:
            assert isinstance(module, StreamingBlock)
            states = module.state_shapes(shape)
            given = [] if first else states
            blocks.append(block_of(stage, name, module, shape, source, profile.execution, given))
            elements += [prod(state) for state in states]
            shape = blocks[-1].program.output_shape
    return blocks, elements
