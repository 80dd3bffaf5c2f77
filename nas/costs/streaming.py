"""What decoding latent by latent costs: the third way to decode, for designs that are causal in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from torch import nn

from nas.costs.blocks import Block, Decodable, Design, Source, block_of
from nas.costs.chains import stage_costs, sum_costs
from nas.costs.device import DeviceProfile, Execution
from nas.costs.identity import identity
from nas.costs.modes import Mode, starts_ms, with_overheads
from nas.lowering import Lowering
from nas.lowering.blocks import lower_block
from nas.lowering.streaming import StreamingBlock, why_not_streamable

STREAMED: Lowering = "shifted_2d"  # the form that is streamed

Amount = TypeVar("Amount", int, np.ndarray)


def streamed(
    decoder: Decodable, latent: Sequence[int], profile: DeviceProfile, source: Source
) -> Mode | None:
    """A latent [1, C, T, H, W] frame by frame; None for what can't be: it looks ahead, or is no design.

    The first latent has a program of its own: its weights count beside those of the program of all later
    ones, for an app that has both ready. A call holds all states that it is given to its end, and those that
    it has written so far. The first is given none, so it holds less than a later one. Frames leave as they
    are decoded. Each call after the first starts a program anew.
    """
    if profile.runtime != "coreml" or not isinstance(decoder, Design) or why_not_streamable(decoder.config):
        return None
    shape = (1, latent[1], *latent[3:])
    latents = latent[2]
    first = streaming_blocks(decoder.stages, shape, source, profile.execution, first=True)
    stages = stage_costs(first, source, profile)
    total = largest = sum_costs([cost for _, cost in stages])
    first_frame_ms = total.latency_ms
    if latents > 1:
        later = streaming_blocks(decoder.stages, shape, source, profile.execution, first=False)
        later_stages = stage_costs(later, source, profile)
        largest = sum_costs([cost for _, cost in later_stages])
        stages = [
            (name, cost + replace(later_cost.repeated(latents - 1), params=0))
            for (name, cost), (_, later_cost) in zip(stages, later_stages, strict=True)
        ]
        stages = with_overheads(stages, begins=starts_ms(latents, profile))
        total = sum_costs([cost for _, cost in stages])
    memory = streaming_bytes(
        total.params, largest.left_bytes, largest.peak_activation_bytes, profile, latents
    )
    what = f"{latents} latents one after the other"
    return Mode("streamed", STREAMED, source, tuple(stages), total, memory, first_frame_ms, shape, what)


def streaming_bytes(
    params: Amount, states: Amount, peak: Amount, profile: DeviceProfile, latents: int
) -> Amount:
    """Bytes that decoding so many latents one after the other takes: an int, or [N].

    Args:
        params: parameters of the decoder, which each of the two programs holds.
        states: bytes of all states that a call is given.
        peak: most bytes alive at once in a call, but for those.
        profile: says how many bytes a weight has.
        latents: 1 needs only the first program.
    """
    if latents == 1:
        return params * profile.element_bytes + peak
    return 2 * params * profile.element_bytes + states + peak


def streaming_blocks(
    stages: Iterable[tuple[str, Iterable[tuple[str, nn.Module]]]],
    shape: Sequence[int],
    source: Source,
    execution: Execution,
    first: bool,
) -> list[Block]:
    """The blocks of a program for one latent [1, C, H, W]; stages as `Decoder.stages()` has them."""
    blocks: list[Block] = []
    for stage, chain in stages:
        for name, module in chain:
            key = (identity(module, shape), source, execution, first)
            if key not in _seen:
                _seen[key] = _block(module, shape, source, execution, first)
            blocks.append(replace(_seen[key], stage=stage, name=name))
            shape = blocks[-1].program.output_shape
    return blocks


# What this process has seen, by what a block is and the frames that reach it.
_seen: dict[tuple[str, Source, Execution, bool], Block] = {}


def _block(
    module: nn.Module, shape: Sequence[int], source: Source, execution: Execution, first: bool
) -> Block:
    block = StreamingBlock(lower_block(module, STREAMED), first).eval()
    given = [] if first else block.state_shapes(shape)
    return block_of("", "", block, shape, source, execution, given)
