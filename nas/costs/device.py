"""Device profiles: what a device can do, as figures in a YAML file, each with its source.

Adding a device means adding `nas/costs/devices/NAME.yaml`; a file of one's own is given by its path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nas.costs.operations import COMPUTE_KINDS, KINDS, ByteKind, ComputeKind
from search_space.errors import UserError

_PACKAGED = files("nas.costs") / "devices"

Execution = Literal["fused", "eager_fp16", "eager_fp32"]

Text = Annotated[str, Field(min_length=1)]
# Strict, for YAML's true is no number. In these units no figure of a device reaches a million.
Positive = Annotated[float, Field(gt=0, le=1e6, strict=True, allow_inf_nan=False)]
# Of one standard deviation: 1.5 is -33 % to +50 %.
Factor = Annotated[float, Field(ge=1, le=100, strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, strict=True)]
ChannelCount = Annotated[int, Field(ge=0, strict=True)]  # 0: the operation has no channels to multiply


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Part):
    """A positive number, how far off it may be, and where it comes from.

    `spread` is the factor of one standard deviation of its logarithm. That of a figure in a fit group says
    how uncertain it is beside the others of the group, whose common factor has a spread of its own.
    """

    value: Positive
    spread: Factor = 1.0
    source: Text


class Rate(_Part):
    """Rate of one kind of multiply-add work, TFLOP/s, on operations that fill the unit.

    It is reached at `full_in` input and `full_out` output channels (of one group); narrower operations reach
    as much less, on either side. Where the rate rises without such an edge, it is half of itself at `half_in`
    and at `half_out` channels. Without any of these width has no effect.
    """

    tflop_s: Figure
    full_in: Figure | None = None
    full_out: Figure | None = None
    half_in: Figure | None = None
    half_out: Figure | None = None


class Unit(_Part):
    """A processor of the device.

    Attributes:
        rates: by kind of operation (`COMPUTE_KINDS`). A kind that is missing does not run on this unit.
        vector_tflop_s: rate of convolutions and products too narrow to reach more, TFLOP/s.
        overlaps: whether an operation's bytes move while it multiplies and adds; a library that changes
            layouts before and after does one after the other.
        least_channels_3d: input channels below which a 3D convolution runs at the vector rate; None where no
            width is too narrow.
        highest_rank, longest_axis: tensors beyond them don't run on this unit; None where nothing is beyond.
        bandwidths: GB/s from memory, by kind, where a kind does not reach `memory_gb_s`. What the cache holds
            is as much faster as for the others.
        memory_gb_s: bandwidth of main memory that operations reach, GB/s.
        cache_gb_s: bandwidth of the last cache before it, GB/s.
        cache_mb: size of that cache, MB.
        dispatch_us: time to start one operation, microseconds.
    """

    rates: dict[ComputeKind, Rate]
    vector_tflop_s: Figure
    overlaps: bool = True
    least_channels_3d: Count | None = None
    highest_rank: Count | None = None
    longest_axis: Count | None = None
    bandwidths: dict[ComputeKind | ByteKind, Figure] = {}
    memory_gb_s: Figure
    cache_gb_s: Figure
    cache_mb: Figure
    dispatch_us: Figure


class FitGroup(_Part):
    """Figures that calibration multiplies by one factor, whose prior is log-normal around 1.

    `figures` are dotted paths with fnmatch patterns, such as "units.rank5.rates.*.tflop_s".
    """

    name: Text
    figures: Annotated[tuple[Text, ...], Field(min_length=1)]
    spread: Annotated[float, Field(gt=1, allow_inf_nan=False)]


class Ensemble(_Part):
    """Factors of the fit groups, one row for each set of figures that agrees with the measurements.

    `columns` names the groups. Figures are drawn by their spreads with a fixed seed, one draw a row
    (`nas.costs.ensemble`), so each row belongs to its own draw.
    """

    columns: Annotated[tuple[Text, ...], Field(min_length=1)]
    rows: Annotated[tuple[tuple[Positive, ...], ...], Field(min_length=2)]


class Range(_Part):
    """What measurements covered of one kind on one unit: lowest and highest channels of a group, and elements
    of the largest tensor.

    Channels above `saturation` (input, output) were multiples of `step` where they were measured: whether
    others leave a part of the unit idle, nothing says.
    """

    channels_in: tuple[ChannelCount, ChannelCount]
    channels_out: tuple[ChannelCount, ChannelCount]
    saturation: tuple[Positive, Positive] = (1, 1)
    step: tuple[Count, Count] = (1, 1)
    largest_tensor: Count


class DeviceProfile(_Part):
    """What `nas.costs.roofline` needs to know of a device; M, G and T are 1e6, 1e9 and 1e12.

    Attributes:
        name: as `--device` takes it.
        description: the device in words.
        version: raised whenever a figure changes.
        runtime: "coreml" (a decoder is lowered and converted) or "torch" (it runs as it was trained).
        element_bytes: bytes of an element of activations and weights: 2 for fp16.
        fuses: whether chains of elementwise operations run as one.
        units: by name, the preferred first: a block runs on the first that takes all its operations. The last
            takes everything.
        switch_us: time lost where one block runs on another unit than the one before, microseconds.
        app_memory_gb: memory that one app may use, GB.
        fit: what calibration multiplies.
        ensemble: written by calibration; without it every figure and every group is drawn by its spread.
        residual: what the model leaves unexplained of the time of a decoder like the measured ones, as a
            factor of one standard deviation.
        residual_beyond: the same for a decoder beyond the coverage.
        coverage: by unit and kind, what the measurements that calibrated the profile covered.
        calibration: what it was calibrated on, in words.
    """

    name: Text
    description: Text
    version: Count
    runtime: Literal["coreml", "torch"]
    element_bytes: Literal[2, 4]
    fuses: bool
    units: Annotated[dict[Text, Unit], Field(min_length=1)]
    switch_us: Figure
    app_memory_gb: Figure
    fit: tuple[FitGroup, ...] = ()
    ensemble: Ensemble | None = None
    residual: Figure
    residual_beyond: Figure
    coverage: dict[str, dict[str, Range]] = {}
    calibration: Text

    @model_validator(mode="after")
    def _check(self) -> Self:
        name, last = list(self.units.items())[-1]
        if missing := [kind for kind in COMPUTE_KINDS if kind not in last.rates]:
            raise ValueError(f"unit {name}, the last, must take everything but has no rate of {missing[0]}")
        if last.highest_rank is not None or last.longest_axis is not None:
            raise ValueError(f"unit {name}, the last, must take tensors of every rank and size")
        if unknown := set(self.coverage) - set(self.units):
            raise ValueError(f"coverage names {min(unknown)}, which is no unit")
        if unknown := {kind for kinds in self.coverage.values() for kind in kinds} - set(KINDS):
            raise ValueError(f"coverage names {min(unknown)}, which is no kind of operation")
        if not 1 <= self.residual.value <= self.residual_beyond.value <= 100:
            raise ValueError("residual is a factor of at least 1, residual_beyond no smaller and 100 at most")
        paths = list(self.figures)
        for group in self.fit:
            for pattern in group.figures:
                if not any(fnmatchcase(path, pattern) for path in paths):
                    raise ValueError(f"fit group {group.name}: {pattern} matches no figure")
        if self.ensemble is not None:
            columns = tuple(group.name for group in self.fit)
            if self.ensemble.columns != columns:
                raise ValueError(f"ensemble columns must be the fit groups {', '.join(columns)}")
            if any(len(row) != len(columns) for row in self.ensemble.rows):
                raise ValueError(f"ensemble rows must hold {len(columns)} factors each")
        return self

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def execution(self) -> Execution:
        """How a block becomes operations (`nas.costs.blocks`): fused, or as eager PyTorch runs it."""
        if self.fuses:
            return "fused"
        return "eager_fp16" if self.element_bytes == 2 else "eager_fp32"

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure that a price depends on by its dotted path, such as "units.rank5.memory_gb_s"."""
        return {**dict(_figures(self.units, "units")), "switch_us": self.switch_us}

    @cached_property
    def digest(self) -> str:
        """Short digest of every figure and source: two estimates compare only where it agrees."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def _figures(value: Any, path: str) -> Iterator[tuple[str, Figure]]:
    if isinstance(value, Figure):
        yield path, value
    elif isinstance(value, (BaseModel, dict)):
        for name, item in value.items() if isinstance(value, dict) else value:
            yield from _figures(item, f"{path}.{name}")


def devices() -> list[str]:
    """Names of the profiles that come with the package, sorted."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in _PACKAGED.iterdir() if entry.name.endswith(".yaml")
    )


def load_device(name: str | Path) -> DeviceProfile:
    """The profile called `name`, or the one in the file at the path `name`, which then ends in .yaml or .yml.

    Raises:
        UserError: where there is no such profile (the known ones are listed), or the file is not a valid one
            (the wrong field is named).
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            return _read(path.read_text(), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"device profile {path} can't be read: {error}") from error
    if str(name) not in devices():
        raise UserError(
            f"unknown device {str(name)!r}: known are {', '.join(devices())}, or give a profile's .yaml path"
        )
    return _read((_PACKAGED / f"{name}.yaml").read_text(), str(name))


@lru_cache
def _read(text: str, origin: str) -> DeviceProfile:
    try:
        return DeviceProfile.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UserError(f"device profile {origin} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        given = first["input"]
        value = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
        raise UserError(f"device profile {origin} is not valid at {where}: {first['msg']}{value}") from error
