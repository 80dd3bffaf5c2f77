"""The search for the most probable factors of groups of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from math import exp, hypot, log
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from nas.calibration.samples import Sample, Workload
from nas.costs.device import DeviceProfile, FitGroup
from nas.costs.hardware import hardware

STEP = 1e-3  # of a logarithm, for derivatives
LEAST_PRIOR = 1.5  # a figure that probes identify may be off by this factor, however sure its source is
TOLERANT = 2.0  # standard deviations beyond which an error counts linearly instead of in squares


class Factors:
    """The factors of groups of figures, as the vector of their logarithms [G]."""

    def __init__(self, profile: DeviceProfile, groups: Sequence[FitGroup]) -> None:
        self.profile = profile
        self.groups = tuple(groups)
        self.widths = np.array([log(group.spread) for group in groups])
        self.paths = {
            group.name: [
                path
                for path in profile.figures
                if any(fnmatchcase(path, pattern) for pattern in group.figures)
            ]
            for group in groups
        }

    def factors(self, logarithms: np.ndarray) -> dict[str, np.ndarray]:
        """Factors [K] of figures by path, from logarithms [G, K]."""
        found: dict[str, np.ndarray] = {}
        for group, row in zip(self.groups, logarithms, strict=True):
            for path in self.paths[group.name]:
                found[path] = found.get(path, 1.0) * np.exp(row)
        return found

    def log_ms(
        self, workload: Workload, logarithms: np.ndarray, drawn: Mapping[str, float] | None = None
    ) -> np.ndarray:
        """Logarithm of the time of each sample, ms: [N, K] for logarithms [G, K]."""
        factors: dict[str, Any] = self.factors(logarithms)
        for path, factor in (drawn or {}).items():
            factors[path] = factors.get(path, 1.0) * factor
        times = np.log(workload.milliseconds(hardware(self.profile, factors)))
        return np.broadcast_to(times, (workload.size, logarithms.shape[1]))

    def best(
        self,
        workload: Workload,
        measured: np.ndarray,
        sigma: np.ndarray,
        drawn: Mapping[str, float] | None = None,
        centre: np.ndarray | None = None,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """The most probable logarithms [G] for logarithms of times [N] with errors `sigma` [N].

        `centre` is the middle of the prior, 0 by default; `start` where the search begins.
        """
        middle = np.zeros(len(self.groups)) if centre is None else centre

        def differences(logarithms: np.ndarray) -> np.ndarray:
            times = self.log_ms(workload, logarithms[:, np.newaxis], drawn)[:, 0]
            return np.concatenate([(times - measured) / sigma, (logarithms - middle) / self.widths])

        def slopes(logarithms: np.ndarray) -> np.ndarray:
            steps = np.column_stack([np.zeros(len(logarithms)), STEP * np.eye(len(logarithms))])
            times = self.log_ms(workload, logarithms[:, np.newaxis] + steps, drawn)
            by_figures = (times[:, 1:] - times[:, :1]) / STEP / sigma[:, np.newaxis]
            return np.vstack([by_figures, np.diag(1 / self.widths)])

        begin = middle if start is None else start
        found = least_squares(
            differences, begin, slopes, loss="soft_l1", f_scale=TOLERANT, xtol=1e-4, ftol=1e-4
        )
        return np.asarray(found.x)

    def identified(self, workload: Workload, best: np.ndarray, sigma: np.ndarray) -> float:
        """How many factors the measurements determine: each counts as the share of its prior variance that
        they take away, in a linear model around `best` [G] with errors `sigma` [N] of the logarithms."""
        steps = np.column_stack([np.zeros(len(best)), STEP * np.eye(len(best))])
        times = self.log_ms(workload, best[:, np.newaxis] + steps)
        slopes = (times[:, 1:] - times[:, :1]) / STEP / sigma[:, np.newaxis]
        posterior = np.linalg.inv(slopes.T @ slopes + np.diag(1 / self.widths**2))
        return float(np.sum(1 - np.diag(posterior) / self.widths**2))


def single_figures(profile: DeviceProfile, samples: Sequence[Sample]) -> tuple[FitGroup, ...]:
    """A group for each figure of the units that ran something, as uncertain as it and its groups are."""
    used = {unit for sample in samples for unit, _ in sample.chain}
    found = []
    for path, figure in profile.figures.items():
        if path.split(".")[1:2] and path.split(".")[1] in used:
            spreads = [
                group.spread
                for group in profile.fit
                if any(fnmatchcase(path, pattern) for pattern in group.figures)
            ]
            spread = exp(hypot(*(log(spread) for spread in (figure.spread, *spreads))))
            found.append(FitGroup(name=path, figures=(path,), spread=max(LEAST_PRIOR, spread)))
    return tuple(found)
