"""The table of measurements: one CSV row for each thing that was timed on a device, in order of measuring.

What was timed is a probe (`nas.calibration.probes`), a design of the catalogue, or a configuration in a JSON
file whose path is relative to the table. docs/measuring.md describes the columns.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from nas.aside import written_aside
from search_space.errors import UserError

SEVERAL = "several"  # compute units, none of which ran nearly all


@dataclass(frozen=True)
class Measurement:
    """One row.

    Attributes:
        subject: name of a probe or of a design of the catalogue, or the path of a configuration.
        config_hash: `DecoderConfig.hash` of a design, by which a changed file is noticed; else empty.
        resolution: (height, width) of the clip, px; (0, 0) for a probe, whose name holds its sizes.
        frames: of the clip; 0 for a probe.
        device: what it ran on, as the device profile is called.
        unit: the compute unit that ran all of it, as the profile names it, or `SEVERAL`; empty where the
            device has but one, or it is not known and the profile is to say.
        lowering: form in which the decoder was given to Core ML; empty for PyTorch.
        latency_ms: median time of one call, ms.
        spread: half of what lies between the 16th and the 84th percentile of the samples, over the median.
        samples: how many calls, or groups of calls, the median is of.
    """

    subject: str
    config_hash: str
    resolution: tuple[int, int]
    frames: int
    device: str
    unit: str
    lowering: str
    latency_ms: float
    spread: float
    samples: int

    @property
    def key(self) -> tuple[object, ...]:
        """What was measured where: two rows with one key are of the same thing."""
        return (self.subject, self.resolution, self.frames, self.device, self.unit, self.lowering)


COLUMNS = tuple(field.name for field in fields(Measurement))


def read_measurements(path: str | os.PathLike[str]) -> list[Measurement]:
    """The rows of a CSV file that hold a time; more columns than `COLUMNS` are left alone.

    Raises:
        UserError: where it can't be read, a column is missing or a value is none (row and column are named),
            or two rows are of the same thing.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"measurements {path} can't be read: {error}") from error
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise UserError(
            f"measurements {path} have no column {missing[0]}: give {', '.join(COLUMNS)}, separated by commas"
        )
    found: dict[tuple[object, ...], Measurement] = {}
    for row in reader:
        where = f"measurements {path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UserError(f"{where}: give {len(reader.fieldnames or ())} cells, as the first line has")
        if not (row["latency_ms"] or "").strip():
            continue  # not measured yet
        measurement = _parsed(row, where)
        if measurement.key in found:
            raise UserError(f"{where}: {measurement.subject} is there twice; keep one row of each")
        found[measurement.key] = measurement
    return list(found.values())


def write_measurements(path: str | os.PathLike[str], measurements: Iterable[Measurement]) -> None:
    """Writes the CSV file, whole or not at all. A time of 0 becomes an empty cell, to be filled in."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in measurements:
        values = vars(row) | {
            "resolution": "x".join(map(str, row.resolution)) if row.frames else "",
            "frames": row.frames or "",
            "latency_ms": f"{row.latency_ms:.6g}" if row.latency_ms else "",
            "spread": f"{row.spread:.4f}",
            "samples": row.samples or "",
        }
        writer.writerow([values[name] for name in COLUMNS])
    with written_aside(Path(path)) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _parsed(row: dict[str, str | None], where: str) -> Measurement:
    values = {name: (row[name] or "").strip() for name in COLUMNS}
    for name in ("subject", "device"):
        if not values[name]:
            raise UserError(f"{where}: {name} is empty")
    resolution, frames = (0, 0), 0
    if values["resolution"] or values["frames"]:
        match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", values["resolution"])
        if match is None:
            raise UserError(f"{where}: resolution {values['resolution']!r} is none, as 512x512")
        resolution, frames = (int(match[1]), int(match[2])), _whole(values["frames"], "frames", where)
    return Measurement(
        subject=values["subject"],
        config_hash=values["config_hash"],
        resolution=resolution,
        frames=frames,
        device=values["device"],
        unit=values["unit"],
        lowering=values["lowering"],
        latency_ms=_number(values["latency_ms"], "latency_ms", where, above=True),
        spread=_number(values["spread"], "spread", where, above=False),
        samples=_whole(values["samples"], "samples", where),
    )


def _number(text: str, name: str, where: str, above: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf or (value == 0 and not above)):
        raise UserError(f"{where}: {name} {text!r} must be a number {'above' if above else 'of at least'} 0")
    return value


def _whole(text: str, name: str, where: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise UserError(f"{where}: {name} {text!r} must be a whole number of at least 1")
    return int(text)
