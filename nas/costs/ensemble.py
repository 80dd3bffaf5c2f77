"""How sure a price is: sets of figures that agree with what was measured, drawn by the figures' spreads.

A price computed on every set at once gives its interval (`interval_factor`). The draws come from a fixed seed
and each figure's path, so two runs agree, and a figure that is added changes no other's draws.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from math import log
from zlib import crc32

import numpy as np

from nas.costs.device import DeviceProfile
from nas.costs.hardware import Hardware, hardware

MEMBERS = 32
SEED = 0
NORMAL_90 = 1.645  # standard deviations either side that hold 90 % of a normal distribution


def draws(profile: DeviceProfile, members: int = MEMBERS) -> dict[str, np.ndarray]:
    """Factors [members] of every figure by its spread, by path as in `profile.figures`."""
    return {
        path: log_normal(path, figure.spread, members)
        for path, figure in profile.figures.items()
        if figure.spread > 1
    }


def group_factors(profile: DeviceProfile) -> dict[str, np.ndarray]:
    """Factors [K] of every fit group: the ensemble of the calibration, or draws by the groups' spreads."""
    if profile.ensemble is None:
        return {group.name: log_normal(group.name, group.spread, MEMBERS) for group in profile.fit}
    columns = np.array(profile.ensemble.rows).T
    return dict(zip(profile.ensemble.columns, columns, strict=True))


def grouped(profile: DeviceProfile, groups: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Factors of the fit groups as factors of the figures in them; a figure in two groups gets both."""
    factors: dict[str, np.ndarray] = {}
    for group in profile.fit:
        for path in profile.figures:
            if any(fnmatchcase(path, pattern) for pattern in group.figures):
                factors[path] = factors.get(path, 1.0) * groups[group.name]
    return factors


@lru_cache
def sampled(profile: DeviceProfile) -> Hardware:
    """The hardware of `profile` with every number an array [1 + K]: the profile's own, then the ensemble."""
    groups = group_factors(profile)
    members = MEMBERS if profile.ensemble is None else len(profile.ensemble.rows)
    single, common = draws(profile, members), grouped(profile, groups)
    factors = {
        path: np.concatenate([[1.0], single.get(path, 1.0) * common.get(path, np.ones(members))])
        for path in profile.figures
    }
    return hardware(profile, factors)


def interval_factor(latencies: np.ndarray, residual: float | np.ndarray) -> np.ndarray:
    """Factor either side of the 90 % interval of latencies [..., 1 + K] priced on `sampled` figures: [...].

    Log-normal around the profile's own price: the spread of the ensemble and that of what the model leaves
    unexplained (a factor of one standard deviation) are independent, so they add in squares.
    """
    ratios = np.log(latencies[..., 1:] / latencies[..., :1])
    return np.asarray(np.exp(NORMAL_90 * np.sqrt(np.mean(ratios**2, axis=-1) + np.log(residual) ** 2)))


def log_normal(name: str, spread: float, members: int) -> np.ndarray:
    """Factors [members] around 1 with this spread, the same whenever they are drawn by this name."""
    random = np.random.default_rng([SEED, crc32(name.encode())])
    return np.asarray(np.exp(log(spread) * random.standard_normal(members)))
