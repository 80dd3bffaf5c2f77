"""Measuring one thing after the other, each row written as soon as it is known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from nas.calibration.apple import AppleDevice, apple_measurement, run_on_apple
from nas.calibration.measurements import Measurement, read_measurements, write_measurements
from nas.calibration.packages import packaged_probes
from nas.calibration.subjects import Subject
from nas.calibration.timing import Runtime, time_module
from nas.costs.blocks import Design
from nas.lowering import LOWERINGS, Lowering
from nas.lowering.package import save_package
from search_space import DecoderConfig, build_decoder


def measure(
    subjects: Sequence[Subject],
    runtime: Runtime,
    path: Path,
    say: Callable[[str], None],
) -> list[Measurement]:
    """Times `subjects` and keeps the table at `path`: rows that it already has are not measured again.

    One that does not fit in the device's memory is left out, which `say` is told.

    Returns:
        All rows of the table.

    Raises:
        UserError: where the table there is broken, or the device is missing.
    """
    rows = read_measurements(path) if path.exists() else []
    known = {row.key for row in rows}
    for number, subject in enumerate(subjects, 1):
        key = (subject.name, subject.resolution, subject.frames, runtime, "", "")
        if key in known:
            continue
        place = f"[{number}/{len(subjects)}] {subject.name}"
        try:
            timing = time_module(subject.build(), subject.input_shape, runtime)
        except torch.OutOfMemoryError:
            say(f"{place}: out of memory on {runtime}, left out")
            continue
        rows.append(
            Measurement(
                subject=subject.name,
                config_hash=subject.config_hash,
                resolution=subject.resolution,
                frames=subject.frames,
                device=runtime,
                unit="",
                lowering="",
                latency_ms=timing.latency_ms,
                spread=timing.spread,
                samples=timing.samples,
            )
        )
        write_measurements(path, rows)
        say(f"{place}: {timing.latency_ms:.3f} ms, spread {timing.spread:.1%}")
    return rows


def measure_on_apple(
    configs: Sequence[str],
    device: AppleDevice,
    team: str,
    resolution: tuple[int, int],
    frames: int,
    path: Path,
    say: Callable[[str], None],
) -> list[Measurement]:
    """Times packages on a Mac or what is connected to it; the table is kept as by `measure`.

    Beside it, `path` with the ending .operations.json records for each row the compute unit of every
    operation and the time of a prediction sustained over a minute.

    Args:
        configs: paths of decoders' configurations from the table's folder; none for the probes.
        device, team: as of `nas.calibration.apple.run_on_apple`.
        resolution, frames: the decoders' clip.

    Returns:
        All rows of the table.

    Raises:
        UserError, ConversionError: as `nas.calibration.apple.run_on_apple` and `nas.lowering`.
    """
    rows = read_measurements(path) if path.exists() else []
    known = {(row.subject, row.resolution, row.frames, row.device, row.lowering) for row in rows}
    answers = path.with_suffix(".operations.json")
    told = json.loads(answers.read_text(encoding="utf-8")) if answers.exists() else {}
    for work in _packages(configs, path.parent, resolution, frames):
        if (work.subject, work.resolution, work.frames, device, work.lowering) in known:
            continue
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / "measured.mlpackage"
            work.save(package)
            answer = run_on_apple(package, device, team)
        row = apple_measurement(
            answer, work.subject, work.config_hash, work.resolution, work.frames, device, work.lowering
        )
        rows.append(row)
        write_measurements(path, rows)
        told[f"{work.subject} {work.lowering}"] = vars(answer)
        answers.write_text(json.dumps(told, indent=1), encoding="utf-8")
        say(f"{work.subject} as {work.lowering}: {row.latency_ms:.3f} ms on {row.unit or 'an unknown unit'}")
    return rows


@dataclass(frozen=True)
class _Package:
    subject: str
    config_hash: str
    resolution: tuple[int, int]
    frames: int
    lowering: Lowering
    save: Callable[[Path], None]


def _packages(
    configs: Sequence[str], folder: Path, resolution: tuple[int, int], frames: int
) -> Iterator[_Package]:
    for packaged in () if configs else packaged_probes():
        yield _Package(packaged.probe.name, "", (0, 0), 0, packaged.lowering, packaged.save)
    for name in configs:
        config = DecoderConfig.load(folder / name)
        shape = Design(config).latent_shape(resolution, frames)
        for lowering in LOWERINGS:
            save = partial(_save_design, config, lowering, shape)
            yield _Package(name, config.hash, resolution, frames, lowering, save)


def _save_design(config: DecoderConfig, lowering: Lowering, shape: Sequence[int], path: Path) -> None:
    save_package(build_decoder(config), lowering, shape, path)
