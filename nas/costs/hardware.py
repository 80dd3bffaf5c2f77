"""A profile's figures in SI units, as the prices take them: one set, or many at once.

Every number is a float, or an array [K] of K sets of figures: prices broadcast, so an ensemble or the columns
of a Jacobian take one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nas.costs.device import DeviceProfile, Figure, Rate, Unit

Number = float | np.ndarray


@dataclass(frozen=True)
class HardwareRate:
    """FLOP/s of a kind of work, the channels that fill the unit (1 where width has no effect), and those at
    which it reaches half of that (0 likewise)."""

    flop_s: Number
    full_in: Number = 1.0
    full_out: Number = 1.0
    half_in: Number = 0.0
    half_out: Number = 0.0


@dataclass(frozen=True)
class HardwareUnit:
    """A processor: FLOP/s, bytes/s, the cache in bytes, the start of an operation in seconds."""

    element_bytes: int
    rates: Mapping[str, HardwareRate]
    vector: Number
    overlaps: bool
    least_channels_3d: int
    highest_rank: int | None
    longest_axis: int | None
    bandwidths: Mapping[str, Number]
    memory: Number
    cache: Number
    cache_bytes: Number
    dispatch: Number


@dataclass(frozen=True)
class Hardware:
    """The units of a device, the preferred first; `switch` is the time between two of them, seconds."""

    units: Mapping[str, HardwareUnit]
    switch: Number


def hardware(profile: DeviceProfile, factors: Mapping[str, Number] | None = None) -> Hardware:
    """The hardware of `profile`, its figures multiplied by `factors` (by path as in `profile.figures`).

    Raises:
        KeyError: for a factor of a figure that `profile` has not.
    """
    factors = factors or {}
    if unknown := set(factors) - set(profile.figures):
        raise KeyError(f"profile {profile.name} has no figure {min(unknown)}")

    def number(path: str, figure: Figure, scale: float = 1.0) -> Number:
        return figure.value * scale * factors.get(path, 1.0)

    def rate(path: str, rate: Rate) -> HardwareRate:
        widths = {
            name: number(f"{path}.{name}", figure)
            for name in ("full_in", "full_out", "half_in", "half_out")
            if (figure := getattr(rate, name)) is not None
        }
        return HardwareRate(number(f"{path}.tflop_s", rate.tflop_s, 1e12), **widths)

    def unit(path: str, unit: Unit) -> HardwareUnit:
        return HardwareUnit(
            element_bytes=profile.element_bytes,
            rates={kind: rate(f"{path}.rates.{kind}", item) for kind, item in unit.rates.items()},
            vector=number(f"{path}.vector_tflop_s", unit.vector_tflop_s, 1e12),
            overlaps=unit.overlaps,
            least_channels_3d=unit.least_channels_3d or 0,
            highest_rank=unit.highest_rank,
            longest_axis=unit.longest_axis,
            bandwidths={
                kind: number(f"{path}.bandwidths.{kind}", item, 1e9) for kind, item in unit.bandwidths.items()
            },
            memory=number(f"{path}.memory_gb_s", unit.memory_gb_s, 1e9),
            cache=number(f"{path}.cache_gb_s", unit.cache_gb_s, 1e9),
            cache_bytes=number(f"{path}.cache_mb", unit.cache_mb, 1e6),
            dispatch=number(f"{path}.dispatch_us", unit.dispatch_us, 1e-6),
        )

    return Hardware(
        {name: unit(f"units.{name}", item) for name, item in profile.units.items()},
        number("switch_us", profile.switch_us, 1e-6),
    )
