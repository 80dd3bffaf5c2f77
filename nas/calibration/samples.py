"""Measurements beside the operations that were timed: what a fit compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array

from nas.calibration.apple import UNITS
from nas.calibration.measurements import SEVERAL, Measurement
from nas.calibration.packages import PackagedProbe
from nas.calibration.probes import parse_probe
from nas.calibration.subjects import Subject, find_subject
from nas.costs.blocks import block_of, executed
from nas.costs.device import DeviceProfile
from nas.costs.hardware import Hardware, Number, hardware
from nas.costs.operations import Operation, Program
from nas.costs.placement import placed
from nas.costs.roofline import operation_ms, switches
from nas.lowering import LOWERINGS
from search_space.errors import UserError


@dataclass(frozen=True)
class Sample:
    """A measurement, and the chain of programs that it timed with the unit that each ran on."""

    measurement: Measurement
    chain: tuple[tuple[str, Program], ...]


def fittable(
    measurements: Iterable[Measurement], profile: DeviceProfile
) -> tuple[list[Measurement], list[Measurement]]:
    """The rows that a profile can be fitted to, and those that no single unit of it ran: of `SEVERAL`, or of
    one of Apple's that the profile lacks."""
    fitted: list[Measurement] = []
    left: list[Measurement] = []
    for row in measurements:
        lacking = row.unit in UNITS.values() and _unit(row, profile) is None
        (left if row.unit == SEVERAL or lacking else fitted).append(row)
    return fitted, left


def samples(measurements: Iterable[Measurement], profile: DeviceProfile, folder: Path) -> list[Sample]:
    """What was timed, as operations on the units of `profile`; paths of configurations start from `folder`.

    Raises:
        UserError: where a row names nothing that is there, a design whose file changed since it was
            measured, a unit that the profile has not, or a lowering that the runtime is not given; or
            where rows are of different devices.
        ConversionError: where coremltools can't convert a block of what a phone was given.
    """
    figures = hardware(profile)
    found = []
    rows = list(measurements)
    devices = sorted({row.device for row in rows})
    if len(devices) > 1:
        raise UserError(f"rows are of devices {', '.join(devices)}: give a table of one device")
    for row in rows:
        subject = find_subject(row.subject, folder, row.resolution, row.frames)
        if row.config_hash and row.config_hash != subject.config_hash:
            raise UserError(
                f"{row.subject} has hash {subject.config_hash}, but {row.config_hash} was measured: "
                "give the file that was"
            )
        unit = _unit(row, profile)
        if row.unit and unit is None:
            raise UserError(
                f"{row.subject} ran on unit {row.unit!r}: {profile.name} has {', '.join(profile.units)}"
            )
        programs = _programs(subject, row, profile)
        found.append(Sample(row, tuple((unit or placed(program, figures), program) for program in programs)))
    return found


def _unit(row: Measurement, profile: DeviceProfile) -> str | None:
    """The unit of the profile that ran a row; None where it has none by that name, or none is named."""
    if row.unit in profile.units:
        return row.unit
    # A profile need not say what runs the programs that the Neural Engine refuses: that is its last unit.
    return list(profile.units)[-1] if row.unit == "gpu" and profile.runtime == "coreml" else None


def _programs(subject: Subject, row: Measurement, profile: DeviceProfile) -> list[Program]:
    decodable = subject.decodable
    if decodable is not None:
        known = decodable.lowerings(profile.runtime)
    else:
        known = LOWERINGS if profile.runtime == "coreml" else (None,)
    forms = {form or "": form for form in known}
    if row.lowering not in forms:
        right = " or ".join(name or "empty" for name in forms)
        raise UserError(f"{row.subject}: lowering {row.lowering!r} must be {right}")
    lowering = forms[row.lowering]
    if decodable is not None:
        source = decodable.sources(profile.runtime)[0]
        blocks = decodable.blocks(subject.input_shape, source, lowering, profile.execution)
        return [block.program for block in blocks]
    with torch.device("meta"):
        if lowering is None:
            return [executed(subject.build().eval(), subject.input_shape, profile.execution)]
        module, shape = PackagedProbe(parse_probe(row.subject), lowering).lowered()
    return [block_of("", row.subject, module, shape, "coreml", profile.execution).program]


class Workload:
    """Samples collected for pricing all of them at once on many sets of figures.

    Equal operations are priced once: a set of figures takes milliseconds for some hundred samples.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.size = len(samples)
        self._switches = np.array([[switches([unit for unit, _ in sample.chain])] for sample in samples])
        places: dict[str, dict[Operation, int]] = {}
        counted: dict[str, list[tuple[int, int]]] = {}
        for row, sample in enumerate(samples):
            for unit, program in sample.chain:
                known = places.setdefault(unit, {})
                for operation in program.operations:
                    place = known.setdefault(_priced_alike(operation), len(known))
                    counted.setdefault(unit, []).append((row, place))
        self._operations = {unit: list(known) for unit, known in places.items()}
        self._counts = {
            unit: csr_array(
                (np.ones(len(pairs)), tuple(np.array(pairs).T)), shape=(self.size, len(places[unit]))
            )
            for unit, pairs in counted.items()
        }

    def milliseconds(self, figures: Hardware) -> np.ndarray:
        """Time of each of N samples, ms: [N, K] on K sets of figures, [N, 1] on one."""
        total: Number = self._switches * np.atleast_1d(figures.switch) * 1e3
        for unit, operations in self._operations.items():
            total = total + self._counts[unit] @ operation_ms(operations, figures.units[unit])
        return np.asarray(total)


def _priced_alike(operation: Operation) -> Operation:
    """The operation without what does not matter to its price."""
    return Operation(
        operation.kind,
        "",
        (),
        (),
        operation.flops,
        operation.read + operation.written,
        0,
        operation.weights,
        operation.channels,
        0,
    )
