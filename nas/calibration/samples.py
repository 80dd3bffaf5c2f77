"""Measurements beside the operations that were timed: what a fit compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array

from nas.calibration.measurements import Measurement
from nas.calibration.packages import PackagedProbe
from nas.calibration.probes import parse_probe
from nas.calibration.subjects import Subject, find_subject
from nas.costs.blocks import executed
from nas.costs.coreml import coreml
from nas.costs.device import DeviceProfile
from nas.costs.hardware import Hardware, Number, hardware
from nas.costs.operations import Operation, Program
from nas.costs.placement import placed
from nas.costs.roofline import operation_ms, switches
from nas.lowering import LOWERINGS, Lowering
from search_space.errors import UserError


@dataclass(frozen=True)
class Sample:
    """A measurement, and the chain of programs that it timed with the unit that each ran on."""

    measurement: Measurement
    chain: tuple[tuple[str, Program], ...]


def samples(measurements: Iterable[Measurement], profile: DeviceProfile, folder: Path) -> list[Sample]:
    """What was timed, as operations on the units of `profile`; paths of configurations start from `folder`.

    Raises:
        UserError: where a row names nothing that is there, a design whose file changed since it was
            measured, or a unit that the profile has not.
        ConversionError: where coremltools can't convert a block of what a phone was given.
    """
    figures = hardware(profile)
    found = []
    for row in measurements:
        subject = find_subject(row.subject, folder, row.resolution, row.frames)
        if row.config_hash and row.config_hash != subject.config_hash:
            raise UserError(
                f"{row.subject} has hash {subject.config_hash}, but {row.config_hash} was measured: "
                "give the file that was"
            )
        if row.unit and row.unit not in profile.units:
            raise UserError(
                f"{row.subject} ran on unit {row.unit!r}: {profile.name} has {', '.join(profile.units)}"
            )
        programs = _programs(subject, row, profile)
        found.append(
            Sample(row, tuple((row.unit or placed(program, figures), program) for program in programs))
        )
    return found


def _programs(subject: Subject, row: Measurement, profile: DeviceProfile) -> list[Program]:
    if subject.decodable is not None:
        source = subject.decodable.sources(profile.runtime)[0]
        known = subject.decodable.lowerings(profile.runtime)
        lowering = next((form for form in known if row.lowering in (form or "", "")), None)
        if row.lowering and lowering != row.lowering:
            raise UserError(
                f"{row.subject}: lowering {row.lowering!r} is none of {', '.join(map(str, known))}"
            )
        blocks = subject.decodable.blocks(subject.input_shape, source, lowering, profile.execution)
        return [block.program for block in blocks]
    with torch.device("meta"):
        if profile.runtime == "torch":
            return [executed(subject.build().eval(), subject.input_shape, profile.execution)]
        form: Lowering = next((form for form in LOWERINGS if form == row.lowering), LOWERINGS[0])
        module, shape = PackagedProbe(parse_probe(row.subject), form).lowered()
    return [coreml(module, shape)]


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
