"""The costs of the parts of a space: each one traced or converted, and priced on a profile.

Thousands of parts take minutes, so several processes share them. They are spawned, not forked, since torch
and coremltools hold threads; what they convert is in the cache on disk, so a run that is ended goes on where
it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from typing import Literal

import numpy as np
import torch
from torch import nn

from nas.costs.blocks import Block, Source, chain_blocks
from nas.costs.chains import block_cost, sum_costs
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import sampled
from nas.costs.roofline import switches
from nas.costs.streaming import streaming_blocks
from nas.costs.tables.parts import Dims, Part, Parts
from nas.costs.tables.sums import Table
from nas.lowering import Lowering
from nas.lowering.decoder import lower_end, lower_link
from nas.lowering.layouts import Layout

COLUMNS = ("params", "flops", "latency_ms", "unmeasured_ms", "left_bytes")  # as of `nas.costs.chains.Cost`
PARAMS, FLOPS, LATENCY, UNMEASURED, LEFT = range(len(COLUMNS))
_CHUNK = 32  # parts that a process takes at once
_FEW = 256  # parts that one process has done before others have started


Program = Literal["clip", "first", "later"]
"""What is decoded at once: a clip, the first latent of one, or any later one (`nas.lowering.streaming`)."""


@dataclass(frozen=True)
class Pricing:
    """How parts are priced; `lowering` None is for what runs as it was trained."""

    source: Source
    profile: DeviceProfile
    lowering: Lowering | None
    program: Program = "clip"

    @cached_property
    def states(self) -> list[tuple[Layout, str]]:
        """What may stand before a part: layout of the tensor, and the unit that computed it."""
        layouts: tuple[Layout, ...] = ("clip", "frames")
        if self.program != "clip":
            layouts = ("frames",)
        elif self.lowering is None:
            layouts = ("clip",)
        return list(product(layouts, self.profile.units))


def fill(
    parts: Parts, pricing: Pricing, progress: Callable[[int, int], None] = lambda done, total: None
) -> Table:
    """A row for each of the parts; `progress` hears how many of them are done."""
    rows: list[Table] = [_nothing(pricing)] * len(parts)
    todo = list(enumerate(parts.parts))[1:]
    processes = min(len(os.sched_getaffinity(0)), 8)
    if processes == 1 or len(todo) <= _FEW:
        for done, (number, part) in enumerate(todo):
            progress(done, len(todo))
            rows[number] = _row(part, pricing)
    else:
        chunks = [todo[begin : begin + _CHUNK] for begin in range(0, len(todo), _CHUNK)]
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            waiting = [pool.submit(_rows, chunk, pricing) for chunk in chunks]
            try:
                done = 0
                for future in as_completed(waiting):
                    for number, row in future.result():
                        rows[number] = row
                        done += 1
                    progress(done, len(todo))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    progress(len(todo), len(todo))
    return Table(
        *(np.stack([getattr(row, name) for row in rows]) for name in ("sums", "members", "peaks", "after"))
    )


def _rows(numbered: Sequence[tuple[int, Part | None]], pricing: Pricing) -> list[tuple[int, Table]]:
    torch.set_num_threads(1)  # the processes share the cores
    return [(number, _row(part, pricing)) for number, part in numbered]


def _nothing(pricing: Pricing) -> Table:
    """The row of what isn't there: it costs nothing, and leaves the state as it was."""
    states = len(pricing.states)
    members = len(np.atleast_1d(sampled(pricing.profile).switch)) - 1
    return Table(
        np.zeros((states, len(COLUMNS))),
        np.zeros((states, members), dtype=np.float32),
        np.zeros(states),
        np.arange(states, dtype=np.int8),
    )


def _row(part: Part | None, pricing: Pricing) -> Table:
    row = _nothing(pricing)
    if part is None:
        return row
    modules = part.modules()
    switch = np.atleast_1d(sampled(pricing.profile).switch) * 1e3
    chains = {layout: _chain(modules, layout, part, pricing) for layout in dict(pricing.states)}
    for state, (layout, unit) in enumerate(pricing.states):
        begins = part.which == "conv_in"
        blocks, left = chains[pricing.states[0][0] if begins else layout]
        costs = [block_cost(block, pricing.source, pricing.profile) for block in blocks]
        units = [next(iter(cost.units)) for cost in costs]
        before = units[0] if begins else unit  # nothing stands before the first block
        total = sum_costs(costs)
        latency = total.latency + switches([before, *units]) * switch
        row.sums[state] = (
            total.params,
            total.flops,
            latency[0],
            sum(total.unmeasured.values()),
            total.left_bytes,
        )
        row.members[state] = latency[1:]
        row.peaks[state] = total.peak_activation_bytes
        row.after[state] = pricing.states.index((left, units[-1]))
    return row


def _chain(
    modules: Sequence[nn.Module], layout: Layout, part: Part, pricing: Pricing
) -> tuple[list[Block], Layout]:
    """The blocks of a part after a tensor of this layout, and the layout after."""
    shape = _shape(part.channels, part.dims, layout)
    stage = (part.which, [(str(place), module) for place, module in enumerate(modules)])
    execution = pricing.profile.execution
    if pricing.lowering is None:
        return chain_blocks([stage], shape, pricing.source, execution), layout
    if pricing.program != "clip":
        first = pricing.program == "first"
        return streaming_blocks([stage], shape, pricing.source, execution, first), layout
    chain: list[tuple[str, nn.Module]] = []
    for module in modules:
        link = lower_link(part.which, module, pricing.lowering, layout)
        chain += link
        layout = link[-1][1].gives
    if part.which == "head":
        chain += lower_end(layout)
        layout = "clip"
    return chain_blocks([(part.which, chain)], shape, pricing.source, execution), layout


def _shape(channels: int, dims: Dims, layout: Layout) -> tuple[int, ...]:
    frames, height, width = dims
    return (frames, channels, height, width) if layout == "frames" else (1, channels, frames, height, width)
