"""Whether a price rests on measurements: what a profile's coverage holds, and what lies beyond it.

Operations are compared one by one: the unit that runs them, their kind, their channels and their largest
tensor. A design that no one measured may well be made of operations that were.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, log, prod

import numpy as np

from nas.costs.device import DeviceProfile, Range
from nas.costs.hardware import Hardware, HardwareUnit
from nas.costs.operations import Operation, Program
from nas.costs.roofline import operation_ms

MARGIN = 2  # channels and tensors up to this factor beyond what was measured still count as measured
NOTICEABLE = 0.02  # a kind that took less of every measured decoder's time was not measured by it


def coverage(
    decoders: Sequence[Sequence[tuple[str, Program]]], hardware: Hardware
) -> dict[str, dict[str, Range]]:
    """By unit and kind, the ranges of channels and tensors that measuring these decoders covered.

    Each decoder is its chain of programs with the unit that ran each; `hardware` holds one set of figures, by
    which a kind's share of a decoder's time is known.
    """
    seen: dict[str, dict[str, list[tuple[Operation, int]]]] = {}
    for chain in decoders:
        times: dict[tuple[str, str], float] = {}
        for unit, program in chain:
            milliseconds = operation_ms(program.operations, hardware.units[unit])[:, 0]
            for operation, time in zip(program.operations, milliseconds, strict=True):
                times[unit, operation.kind] = times.get((unit, operation.kind), 0.0) + time
        total = sum(times.values())
        for unit, program in chain:
            for operation in program.operations:
                kind = operation.kind
                if times[unit, kind] >= NOTICEABLE * total:
                    measured = seen.setdefault(unit, {}).setdefault(kind, [])
                    measured.append((operation, largest_tensor(operation, program)))
    return {
        unit: {kind: _range(kind, operations, hardware.units[unit]) for kind, operations in kinds.items()}
        for unit, kinds in seen.items()
    }


def _range(kind: str, measured: Sequence[tuple[Operation, int]], unit: HardwareUnit) -> Range:
    inputs, outputs = zip(*(operation.channels for operation, _ in measured), strict=True)
    rate = unit.rates.get(kind)
    saturation = (1.0, 1.0) if rate is None else (float(rate.full_in), float(rate.full_out))
    return Range(
        channels_in=(min(inputs), max(inputs)),
        channels_out=(min(outputs), max(outputs)),
        saturation=saturation,
        step=(_step(inputs, saturation[0]), _step(outputs, saturation[1])),
        largest_tensor=max(largest for _, largest in measured),
    )


def _step(channels: Sequence[int], saturation: float) -> int:
    """What all of the channels above the saturation, if there is one, are multiples of."""
    return gcd(*(count for count in channels if 1 < saturation < count)) or 1


def largest_tensor(operation: Operation, program: Program) -> int:
    """Elements of the largest activation that the operation reads or writes."""
    return max(prod(program.shapes[i]) for i in (*operation.inputs, *operation.outputs))


def unmeasured_ms(
    program: Program, unit: str, milliseconds: np.ndarray, profile: DeviceProfile
) -> dict[str, float]:
    """How much of a program's time lies beyond what calibrated `profile`, ms, by what makes it so.

    `milliseconds` [N, 1 + K] are the times of its operations, by the profile's figures and by each set of its
    ensemble. An operation of a kind that was measured is beyond, too, where these sets differ by more than
    what the model leaves unexplained: then the measurements did not determine the figure that it depends on.
    """
    unsure = np.sqrt(np.mean(np.log(milliseconds[:, 1:] / milliseconds[:, :1]) ** 2, axis=1))
    most = log(profile.residual.value)
    found: dict[str, float] = {}
    for operation, time, deviation in zip(program.operations, milliseconds[:, 0], unsure, strict=True):
        reason = _why_unmeasured(operation, largest_tensor(operation, program), unit, profile)
        if reason is None and deviation > most:
            reason = f"{operation.kind} on {unit}, whose speed the measurements do not determine"
        if reason is not None:
            found[reason] = found.get(reason, 0.0) + float(time)
    return found


def _why_unmeasured(operation: Operation, largest: int, unit: str, profile: DeviceProfile) -> str | None:
    what = f"{operation.kind} on {unit}"
    measured = profile.coverage.get(unit, {}).get(operation.kind)
    if measured is None:
        return f"{what}, which nothing measured has"
    sides = (measured.channels_in, measured.channels_out), measured.saturation, measured.step
    for channels, (lowest, highest), saturation, step in zip(operation.channels, *sides, strict=True):
        if not lowest / MARGIN <= channels <= highest * MARGIN:
            return f"{what} with other channels than the {lowest} to {highest} measured"
        if channels > saturation and channels % step:
            return f"{what} with more than {saturation:.0f} channels that are no multiple of {step}"
    if largest > measured.largest_tensor * MARGIN:
        megabytes = measured.largest_tensor * profile.element_bytes / 1e6
        return f"{what} on tensors beyond the {megabytes:.0f} MB measured"
    return None
