"""Time of operations on a unit: a table from kind of operation to a small pure function.

Each takes max(work / rate, bytes / bandwidth) plus the time to start it (Williams et al., "Roofline", CACM
2009). To price a kind in another way, change its function here; figures belong in the profile. The functions
are array arithmetic: N operations of one kind are a column [N, 1], K sets of figures a row [K].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nas.costs.hardware import Hardware, HardwareUnit, Number
from nas.costs.operations import BYTE_KINDS, Operation, Program
from nas.costs.placement import placed


@dataclass(frozen=True)
class Work:
    """N operations of one kind: FLOPs, elements moved, input and output channels, each an array [N, 1]."""

    kind: str
    flops: np.ndarray
    moved: np.ndarray
    channels_in: np.ndarray
    channels_out: np.ndarray


def chain_ms(programs: Sequence[Program], hardware: Hardware) -> Number:
    """Time of blocks one after the other, each on the unit that takes it, ms: a float, or [K] on K sets."""
    units = [placed(program, hardware) for program in programs]
    blocks = sum(
        price(program.operations, hardware.units[unit]) for program, unit in zip(programs, units, strict=True)
    )
    return blocks + switches(units) * hardware.switch * 1e3


def switches(units: Sequence[str]) -> int:
    """How often a chain of blocks that run on these units goes from one unit to another."""
    return sum(one != other for one, other in pairwise(units))


def price(operations: Iterable[Operation], unit: HardwareUnit) -> Number:
    """Time of `operations` one after the other on `unit`, ms: a float, or [K] on K sets of figures."""
    total: Number = 0.0
    for work in _by_kind(operations):
        total = total + (PRICES[work.kind](work, unit) + unit.dispatch).sum(axis=0) * 1e3
    return total if np.ndim(total) and np.size(total) > 1 else float(np.squeeze(total))


def _by_kind(operations: Iterable[Operation]) -> list[Work]:
    kinds: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        kinds[operation.kind].append(operation)
    return [
        Work(
            kind,
            *np.array([(one.flops, one.moved, *one.channels) for one in same], float).T[:, :, np.newaxis],
        )
        for kind, same in kinds.items()
    ]


def _moved(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds to move the operations' bytes.

    What fits in the cache comes from there; only the rest of the working set crosses main memory. That keeps
    the price continuous in size, where a threshold would jump.
    """
    moved = work.moved * unit.element_bytes
    cached = np.minimum(moved, unit.cache_bytes)
    bandwidth = unit.bandwidths.get(work.kind, unit.memory)
    return (moved - cached + cached * (unit.memory / unit.cache)) / bandwidth


def _dense(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds to multiply and add, or to move the bytes, whichever takes longer.

    The unit multiplies a tile of input channels by a tile of output channels, so narrow operations leave idle
    what they don't fill on either side. Where less remains than the vector rate, that counts.
    """
    rate = unit.rates[work.kind]
    filled = np.minimum(1.0, work.channels_in / rate.full_in) * np.minimum(
        1.0, work.channels_out / rate.full_out
    )
    return np.maximum(
        work.flops / np.maximum(rate.flop_s * filled, np.minimum(unit.vector, rate.flop_s)),
        _moved(work, unit),
    )


def _depthwise(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds of a convolution within each channel: it has no tile to fill."""
    return np.maximum(work.flops / unit.rates[work.kind].flop_s, _moved(work, unit))


# Kind to seconds [N, K]. All of `nas.costs.operations.KINDS` are here.
PRICES: Mapping[str, Callable[[Work, HardwareUnit], np.ndarray]] = {
    "convolution": _dense,
    "convolution3d": _dense,
    "pointwise_convolution": _dense,
    "transposed_convolution": _dense,
    "matrix_product": _dense,
    "depthwise_convolution": _depthwise,
    "depthwise_convolution3d": _depthwise,
    **dict.fromkeys(BYTE_KINDS, _moved),
}
