"""Time of operations on a unit: a table from kind of operation to a small pure function.

Each takes max(work / rate, bytes / bandwidth) plus the time to start it (Williams et al., "Roofline", CACM
2009). To price a kind in another way, change its function here; figures belong in the profile. The functions
are array arithmetic: N operations of one kind are a column [N, 1], K sets of figures a row [K].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nas.costs.hardware import Hardware, HardwareUnit, Number
from nas.costs.operations import BYTE_KINDS, Operation, Program
from nas.costs.placement import placed


@dataclass(frozen=True)
class Work:
    """N operations of one kind, each attribute an array [N, 1]: `flops`, elements of `activations` read and
    written, elements of `weights`, input and output channels."""

    kind: str
    flops: np.ndarray
    activations: np.ndarray
    weights: np.ndarray
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


def price(operations: Sequence[Operation], unit: HardwareUnit) -> Number:
    """Time of `operations` one after the other on `unit`, ms: a float, or [K] on K sets of figures."""
    total = operation_ms(operations, unit).sum(axis=0)
    return total if total.size > 1 else float(total[0])


def operation_ms(operations: Sequence[Operation], unit: HardwareUnit) -> np.ndarray:
    """Time of each of N operations on `unit`, ms: [N, K] on K sets of figures, [N, 1] on one."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for place, operation in enumerate(operations):
        kinds[operation.kind].append(place)
    rows = [(one.flops, one.read + one.written, one.weights, *one.channels) for one in operations]
    table = np.array(rows, float).reshape(-1, 5)
    priced = {
        kind: (PRICES[kind](Work(kind, *table[places].T[:, :, np.newaxis]), unit) + unit.dispatch) * 1e3
        for kind, places in kinds.items()
    }
    milliseconds = np.zeros((len(operations), max((times.shape[1] for times in priced.values()), default=1)))
    for kind, places in kinds.items():
        milliseconds[places] = priced[kind]
    return milliseconds


def _moved(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds to move the operations' bytes.

    Of the activations, what fits in the cache comes from there; only the rest of the working set crosses main
    memory. That keeps the price continuous in size, where a threshold would jump. Weights always cross it:
    each is read once a clip, and all of them are more than a cache keeps till the next.
    """
    activations = work.activations * unit.element_bytes
    cached = np.minimum(activations, unit.cache_bytes)
    streamed = activations - cached + work.weights * unit.element_bytes
    bandwidth = unit.bandwidths.get(work.kind, unit.memory)
    return (streamed + cached * (unit.memory / unit.cache)) / bandwidth


def _dense(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds to multiply and add and to move the bytes: whichever takes longer, or both.

    The rate saturates at some channels on either side and falls in proportion below. Where less remains than
    the vector rate, that counts.
    """
    rate = unit.rates[work.kind]
    filled_in = _share(work.channels_in, rate.full_in, rate.half_in)
    filled_out = _share(work.channels_out, rate.full_out, rate.half_out)
    slowest = np.minimum(unit.vector, rate.flop_s)
    reached = np.maximum(rate.flop_s * filled_in * filled_out, slowest)
    if work.kind == "convolution3d":
        reached = np.where(work.channels_in < unit.least_channels_3d, slowest * filled_out, reached)
    return _together(work.flops / reached, _moved(work, unit), unit)


def _share(channels: np.ndarray, full: Number, half: Number) -> np.ndarray:
    """Share of a rate that so many channels reach on one side."""
    return np.minimum(1.0, channels / full) * channels / (channels + half)


def _together(computing: np.ndarray, moving: np.ndarray, unit: HardwareUnit) -> np.ndarray:
    return np.maximum(computing, moving) if unit.overlaps else computing + moving


def _depthwise(work: Work, unit: HardwareUnit) -> np.ndarray:
    """Seconds of a convolution within each channel: width has no effect."""
    return _together(work.flops / unit.rates[work.kind].flop_s, _moved(work, unit), unit)


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
