"""What a chain of blocks costs on a device: the sum over its blocks, each priced once a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from nas.costs.blocks import Block, Source
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import interval_factor, sampled
from nas.costs.operations import peak_activations
from nas.costs.placement import placed
from nas.costs.roofline import operation_ms, switches
from nas.costs.standing import unmeasured_ms


@dataclass(frozen=True)
class Cost:
    """What a block, a stage or a chain of them costs.

    Attributes:
        params: parameters.
        flops: two per multiply-add of convolutions and matrix products.
        bytes: bytes that its operations move, weights included.
        latency: time on the device, ms, [1 + K]: by the profile's figures, then by each set of its ensemble.
        peak_activation_bytes: most bytes of activations alive at once while it runs, but for states that the
            caller holds.
        left_bytes: bytes of the states that it writes, which stay to the end of the program.
        units: time by unit, ms, by the profile's figures.
        unmeasured: time beyond what calibrated the profile, ms, by what makes it so.
    """

    params: int
    flops: int
    bytes: int
    latency: np.ndarray
    peak_activation_bytes: int
    left_bytes: int = 0
    units: Mapping[str, float] = field(default_factory=dict)
    unmeasured: Mapping[str, float] = field(default_factory=dict)

    @property
    def latency_ms(self) -> float:
        """Time by the profile's own figures, ms."""
        return float(self.latency[0])

    def __add__(self, later: Cost) -> Cost:
        """Cost of this and then `later`: everything adds but the peak, which is the higher one."""
        return Cost(
            self.params + later.params,
            self.flops + later.flops,
            self.bytes + later.bytes,
            self.latency + later.latency,
            max(self.peak_activation_bytes, self.left_bytes + later.peak_activation_bytes),
            self.left_bytes + later.left_bytes,
            _added(self.units, later.units),
            _added(self.unmeasured, later.unmeasured),
        )

    def repeated(self, times: int) -> Cost:
        """Cost of running the same `times` times, with the same parameters."""
        return replace(
            self,
            flops=self.flops * times,
            bytes=self.bytes * times,
            latency=self.latency * times,
            units={unit: time * times for unit, time in self.units.items()},
            unmeasured={reason: time * times for reason, time in self.unmeasured.items()},
        )

    def bounds_ms(self, profile: DeviceProfile) -> tuple[float, float]:
        """The 90 % interval of the time, ms: lower and upper bound."""
        factor = float(bounds_factor(self.latency, sum(self.unmeasured.values()), profile))
        return self.latency_ms / factor, self.latency_ms * factor


def bounds_factor(latency: np.ndarray, unmeasured: np.ndarray | float, profile: DeviceProfile) -> np.ndarray:
    """Factor either side of the 90 % intervals of latencies [..., 1 + K], ms: [...].

    `unmeasured` [...], ms, is how much of each is beyond what calibrated the profile. What the model leaves
    unexplained lies between the profile's `residual` and its `residual_beyond`, as the share of that.
    """
    share = np.minimum(1.0, unmeasured / latency[..., 0])
    residual = profile.residual.value ** (1 - share) * profile.residual_beyond.value**share
    return interval_factor(latency, residual)


def _added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in (*one, *other)}


def stage_costs(blocks: Sequence[Block], source: Source, profile: DeviceProfile) -> list[tuple[str, Cost]]:
    """Cost of each stage of a chain, by name in order; a switch of units counts where it leads to."""
    switch = sampled(profile).switch * 1e3
    stages = []
    unit = None
    for stage, group in groupby(blocks, key=lambda block: block.stage):
        costs = [block_cost(block, source, profile) for block in group]
        passed = [next(iter(cost.units)) for cost in costs]
        count = switches(passed if unit is None else [unit, *passed])
        unit = passed[-1]
        total = sum_costs(costs)
        stages.append((stage, replace(total, latency=total.latency + count * switch)))
    return stages


def sum_costs(costs: Sequence[Cost]) -> Cost:
    """Costs one after the other."""
    total = costs[0]
    for cost in costs[1:]:
        total += cost
    return total


_priced: dict[tuple[str, Source, str], Cost] = {}  # what this process has priced, by block, source, profile


def block_cost(block: Block, source: Source, profile: DeviceProfile) -> Cost:
    """Cost of one block on the unit that takes it, the only one in `units`."""
    key = (block.identity, source, profile.digest)
    if key not in _priced:
        hardware = sampled(profile)
        unit = placed(block.program, hardware)
        times = operation_ms(block.program.operations, hardware.units[unit])
        latency = np.broadcast_to(times.sum(axis=0), np.shape(hardware.switch)).copy()
        _priced[key] = Cost(
            block.params,
            block.program.flops,
            block.program.moved * profile.element_bytes,
            latency,
            (peak_activations(block.program) - block.program.states_given) * profile.element_bytes,
            block.program.states_left * profile.element_bytes,
            {unit: float(latency[0])},
            unmeasured_ms(block.program, unit, times, profile),
        )
    return _priced[key]
