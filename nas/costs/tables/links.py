"""Tables of whole links, composed from those of their parts.

To the columns of the parts they add how much of the latency goes into the upsampler and into the ends of the
decoder, its entry convolution and its output head; the rest goes into the stage's convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas.costs.tables.chain import LINKS, Chain
from nas.costs.tables.filling import COLUMNS, LATENCY, LEFT
from nas.costs.tables.parts import NOTHING, Parts
from nas.costs.tables.sums import Table

SHARES = ("convolutions_ms", "upsampler_ms", "ends_ms")
CONVOLUTIONS, UPSAMPLER, ENDS = range(len(COLUMNS), len(COLUMNS) + len(SHARES))


def compose(chain: Chain, parts: Parts, priced: Table) -> list[Table]:
    """A table for each link of the chain; `priced` has a row for each of the parts."""
    return [_link(chain, parts, priced, link) for link in range(LINKS)]


def _link(chain: Chain, parts: Parts, priced: Table, link: int) -> Table:
    variant, before, width, at_blocks, conv, upsampler = np.unravel_index(
        np.arange(chain.options(link)), chain.shape(link)
    )
    blocks = np.array(chain.stage(link).blocks)[at_blocks]
    resnet = np.where(blocks > 0, parts.resnet[link][variant, width, conv], NOTHING)
    entry = parts.entry[link][variant, before, width, conv, upsampler]
    # A residual block after one of its own kind meets the state that it leaves: those all cost the same.
    chained = [
        (CONVOLUTIONS, entry, 1),
        (UPSAMPLER, parts.upsampler[link][variant, before, width, upsampler], 1),
        (CONVOLUTIONS, resnet, 1),
        (CONVOLUTIONS, resnet, np.maximum(blocks - 1, 0)),
    ]
    if link == 0:
        chained.insert(0, (ENDS, parts.conv_in[variant, width], 1))
    if link == LINKS - 1:
        chained.append((ENDS, parts.head[variant, width], 1))
    return _chained(priced, chained)


def _chained(priced: Table, chained: Sequence[tuple[int, np.ndarray, np.ndarray | int]]) -> Table:
    """Parts one after the other, each so many times, after each of the states that may stand before them.

    Each is given with the column that its latency counts in.
    """
    rows, (_, states, columns) = len(chained[0][1]), priced.sums.shape
    sums = np.zeros((rows, states, columns + len(SHARES)))
    members = np.zeros((rows, states, priced.members.shape[2]), dtype=np.float32)
    peaks = np.zeros((rows, states))
    after = np.broadcast_to(np.arange(states, dtype=np.int8), (rows, states))
    for share, number, count in chained:
        often = np.broadcast_to(count, rows)[:, np.newaxis]
        at = (number[:, np.newaxis], after)
        # The last of equal ones is on top of what those before it left.
        left = sums[..., LEFT] + np.maximum(often - 1, 0) * priced.sums[at][..., LEFT]
        np.maximum(peaks, (left + priced.peaks[at]) * (often > 0), out=peaks)
        added = often[..., np.newaxis] * priced.sums[at]
        sums[..., :columns] += added
        sums[..., share] += added[..., LATENCY]
        members += often[..., np.newaxis].astype(np.float32) * priced.members[at]
        after = np.where(often > 0, priced.after[at], after)
    return Table(sums, members, peaks, after)
