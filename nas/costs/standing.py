"""Whether a price rests on measurements: what a profile's coverage holds, and what lies beyond it.

Operations are compared one by one: the unit that runs them, their kind, their channels and their largest
tensor. A design that no one measured may well be made of operations that were.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from nas.costs.device import DeviceProfile, Range
from nas.costs.hardware import Hardware
from nas.costs.operations import Operation, Program
from nas.costs.placement import placed
from nas.costs.roofline import operation_ms

MARGIN = 2  # channels and tensors up to this factor beyond what was measured still count as measured
NOTICEABLE = 0.02  # a kind that took less of every measured decoder's time was not measured by it


def coverage(decoders: Sequence[Sequence[Program]], hardware: Hardware) -> dict[str, dict[str, Range]]:
    """By unit and kind, the ranges of channels and tensors that measuring these decoders covered.

    Each decoder is its chain of programs; `hardware` holds one set of figures, by which a kind's share of a
    decoder's time is known.
    """
    seen: dict[str, dict[str, list[tuple[Operation, int]]]] = {}
    for programs in decoders:
        units = [placed(program, hardware) for program in programs]
        times: dict[tuple[str, str], float] = {}
        for unit, program in zip(units, programs, strict=True):
            milliseconds = operation_ms(program.operations, hardware.units[unit])[:, 0]
            for operation, time in zip(program.operations, milliseconds, strict=True):
                times[unit, operation.kind] = times.get((unit, operation.kind), 0.0) + time
        total = sum(times.values())
        for unit, program in zip(units, programs, strict=True):
            for operation in program.operations:
                if times[unit, operation.kind] >= NOTICEABLE * total:
                    measured = seen.setdefault(unit, {}).setdefault(operation.kind, [])
                    measured.append((operation, largest_tensor(operation, program)))
    return {
        unit: {kind: _range(operations) for kind, operations in kinds.items()} for unit, kinds in seen.items()
    }


def _range(measured: Sequence[tuple[Operation, int]]) -> Range:
    inputs, outputs = zip(*(operation.channels for operation, _ in measured), strict=True)
    return Range(
        channels_in=(min(inputs), max(inputs)),
        channels_out=(min(outputs), max(outputs)),
        largest_tensor=max(largest for _, largest in measured),
    )


def largest_tensor(operation: Operation, program: Program) -> int:
    """Elements of the largest activation that the operation reads or writes."""
    return max(prod(program.shapes[i]) for i in (*operation.inputs, *operation.outputs))


def unmeasured_ms(
    program: Program, unit: str, milliseconds: np.ndarray, profile: DeviceProfile
) -> dict[str, float]:
    """How much of a program's time lies beyond the coverage of `profile`, ms, by what makes it so.

    `milliseconds` [N] are the times of its operations.
    """
    found: dict[str, float] = {}
    for operation, time in zip(program.operations, milliseconds, strict=True):
        reason = _why_unmeasured(operation, largest_tensor(operation, program), unit, profile)
        if reason is not None:
            found[reason] = found.get(reason, 0.0) + float(time)
    return found


def _why_unmeasured(operation: Operation, largest: int, unit: str, profile: DeviceProfile) -> str | None:
    what = f"{operation.kind} on {unit}"
    measured = profile.coverage.get(unit, {}).get(operation.kind)
    if measured is None:
        return f"{what}, which nothing measured has"
    ranges = (measured.channels_in, measured.channels_out)
    for channels, (lowest, highest) in zip(operation.channels, ranges, strict=True):
        if not lowest / MARGIN <= channels <= highest * MARGIN:
            return f"{what} with other channels than the {lowest} to {highest} measured"
    if largest > measured.largest_tensor * MARGIN:
        megabytes = measured.largest_tensor * profile.element_bytes / 1e6
        return f"{what} on tensors beyond the {megabytes:.0f} MB measured"
    return None
