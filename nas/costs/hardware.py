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
    """FLOP/s of a kind of work, and the channels that fill the unit (1 where width has no effect)."""

    flop_s: Number
    full_in: Number
    full_out: Number


@dataclass(frozen=True)
class HardwareUnit:
    """A processor: FLOP/s, bytes/s, the cache in bytes, the start of an operation in seconds."""

    element_bytes: int
    rates: Mapping[str, HardwareRate]
    vector: Number
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
        return HardwareRate(
            number(f"{path}.tflop_s", rate.tflop_s, 1e12),
            1.0 if rate.full_in is None else number(f"{path}.full_in", rate.full_in),
            1.0 if rate.full_out is None else number(f"{path}.full_out", rate.full_out),
        )

    def unit(path: str, unit: Unit) -> HardwareUnit:
        return HardwareUnit(
            element_bytes=profile.element_bytes,
            rates={kind: rate(f"{path}.rates.{kind}", item) for kind, item in unit.rates.items()},
            vector=number(f"{path}.vector_tflop_s", unit.vector_tflop_s, 1e12),
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
