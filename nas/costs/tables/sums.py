"""Adding up rows of tables: the costs of whole chains from those of their links.

What a link costs may depend on what stands before it: the layout of the tensor that reaches it and the unit
that computed it, here the `state` that the link before leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_CHUNK = 8192  # designs whose sums stay in the processor's cache while the links are gone through


@dataclass(frozen=True)
class Table:
    """The options of one link (rows), each after every state S that may stand before it.

    Attributes:
        sums: float64 [rows, S, columns]: what adds up along the chain.
        members: float32 [rows, S, K]: latencies by the K members of the profile's ensemble, ms; they add too.
        peaks: float64 [rows, S]: most bytes of activations alive at once; the largest counts.
        after: int8 [rows, S]: the state that the link leaves behind.
    """

    sums: np.ndarray
    members: np.ndarray
    peaks: np.ndarray
    after: np.ndarray

    @property
    def states(self) -> int:
        return self.after.shape[1]


@dataclass(frozen=True)
class Sums:
    """Costs of N chains: sums float64 [N, columns], members float32 [N, K], peaks float64 [N]."""

    sums: np.ndarray
    members: np.ndarray
    peaks: np.ndarray


def add_up(
    tables: Sequence[Table], rows: Sequence[np.ndarray], before: int = 0, left: int | None = None
) -> Sums:
    """The costs of N chains.

    Args:
        tables: one for each link.
        rows: for each link the option that each chain takes, int64 [N].
        before: the state before the first link.
        left: the column of bytes that a link leaves behind, on top of which come the peaks of later links;
            None where they leave nothing.
    """
    count = len(rows[0])
    sums = np.zeros((count, tables[0].sums.shape[2]))
    members = np.zeros((count, tables[0].members.shape[2]), dtype=np.float32)
    peaks = np.zeros(count)
    for begin in range(0, count, _CHUNK):
        chunk = slice(begin, begin + _CHUNK)
        for table, at in walk(tables, [row[chunk] for row in rows], before):
            peak = table.peaks.reshape(-1).take(at)
            if left is not None:
                peak += sums[chunk, left]
            np.maximum(peaks[chunk], peak, out=peaks[chunk])
            sums[chunk] += table.sums.reshape(-1, sums.shape[1]).take(at, axis=0)
            members[chunk] += table.members.reshape(-1, members.shape[1]).take(at, axis=0)
    return Sums(sums, members, peaks)


def walk(
    tables: Sequence[Table], rows: Sequence[np.ndarray], before: int = 0
) -> Iterator[tuple[Table, np.ndarray]]:
    """Each table, and where in it N chains stand: rows and states in one number, int64 [N]."""
    state: np.ndarray | int = before
    for table, taken in zip(tables, rows, strict=True):
        at = taken * table.states + state
        yield table, at
        state = table.after.reshape(-1).take(at)
