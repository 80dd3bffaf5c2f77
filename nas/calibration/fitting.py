"""`fit_profile`: figures of a device profile that agree with what was measured on the device.

Groups of figures are multiplied by one factor each: the factors that bring the logarithm of estimated over
measured times closest to zero while they stay near 1, as wide as their prior says (the most probable ones,
for log-normal priors and errors). How sure they are is a sample of the posterior by randomised maximum
likelihood (Bardsley et al., "Randomize-then-optimize", SIAM J. Sci. Comput. 2014): every member of the
ensemble is fitted again to perturbed measurements, with a perturbed prior and with its own draw of the
figures that aren't fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import exp, hypot, log, sqrt
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t as student

from nas.calibration.samples import Sample, Workload
from nas.costs.device import DeviceProfile, FitGroup
from nas.costs.ensemble import MEMBERS, NORMAL_90, SEED, draws, sampled
from nas.costs.hardware import hardware
from nas.costs.standing import coverage
from search_space.errors import UserError

FOLDS = 10  # parts that are left out in turn, where there are more samples than that
STEP = 1e-3  # of a logarithm, for derivatives
LEAST_PRIOR = 1.5  # a figure that probes identify may be off by this factor, however sure its source is
FIRST_ERROR = log(1.15)  # of one standard deviation, before the errors of a fit are known
LEAST_ERROR, MOST_ERROR = log(1.03), log(1.5)  # more, and measurements would say next to nothing
TOLERANT = 2.0  # standard deviations beyond which an error counts linearly instead of in squares
FEWEST_DECODERS = 10  # for the residual to be theirs alone, where probes were measured too


@dataclass(frozen=True)
class Compared:
    """One measurement beside two estimates.

    Attributes:
        subject: what was measured.
        frames: of a decoder's clip; 0 for a probe.
        measured_ms: the median measured.
        estimated_ms: by the fitted profile.
        left_out_ms: by a fit to the others: without this one, or without its tenth of them.
    """

    subject: str
    frames: int
    measured_ms: float
    estimated_ms: float
    left_out_ms: float


@dataclass(frozen=True)
class Calibration:
    """A fitted profile and how well it does: a row for each measurement."""

    profile: DeviceProfile
    rows: tuple[Compared, ...]


def fit_profile(
    samples: Sequence[Sample], profile: DeviceProfile, name: str, measured_on: str
) -> Calibration:
    """`profile` calibrated on `samples`.

    With decoders alone, the profile's fit groups are multiplied; where there are probes too, which tell
    single figures apart, each figure of a unit that ran one of them is fitted by itself.

    Args:
        samples: at least two.
        profile: what is known beforehand.
        name: of the new profile.
        measured_on: what was measured, in words, for its sources.

    Raises:
        UserError: with fewer than two samples, or a profile without fit groups for decoders alone.
    """
    if len(samples) < 2:
        raise UserError(f"{len(samples)} measurements calibrate nothing: give at least 2")
    has_probes = any(sample.measurement.frames == 0 for sample in samples)
    groups = _single_figures(profile, samples) if has_probes else profile.fit
    if not groups:
        raise UserError(f"profile {profile.name} has no fit groups: name them, or measure probes")
    fit = _Fit(profile, groups)
    measured = np.log([sample.measurement.latency_ms for sample in samples])
    noise = np.array([log(1 + sample.measurement.spread) for sample in samples])

    workload = Workload(samples)
    first = fit.best(workload, measured, np.hypot(noise, FIRST_ERROR))
    sigma = np.hypot(noise, _model_error(fit.log_ms(workload, first[:, np.newaxis])[:, 0] - measured, fit))
    best = fit.best(workload, measured, sigma, start=first)
    left_out = _left_out(fit, samples, measured, sigma)
    errors = left_out - measured

    fixed = {path for group in groups for path in fit.paths[group.name]} if has_probes else set()
    bare = _without_spread(profile, fixed)
    members = _members(_Fit(bare, groups), workload, measured, sigma, best)

    source = f"fitted to {len(samples)} measurements of {measured_on}"
    fitted = _fitted(bare, fit, best, members, source, name)
    priced = workload.milliseconds(sampled(fitted))
    times = priced[:, 0]
    typical = np.array([sample.measurement.frames > 0 for sample in samples])
    if typical.sum() < FEWEST_DECODERS:
        typical[:] = True
    fitted = _with_residual(fitted, _residual(errors[typical], priced[typical]), source)
    fitted = fitted.model_copy(
        update={
            "coverage": coverage(
                [[program for _, program in sample.chain] for sample in samples], hardware(fitted)
            )
        }
    )
    rows = tuple(
        Compared(
            sample.measurement.subject,
            sample.measurement.frames,
            sample.measurement.latency_ms,
            float(time),
            exp(other),
        )
        for sample, time, other in zip(samples, times, left_out, strict=True)
    )
    return Calibration(fitted, rows)


class _Fit:
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


def _single_figures(profile: DeviceProfile, samples: Sequence[Sample]) -> tuple[FitGroup, ...]:
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


def _left_out(fit: _Fit, samples: Sequence[Sample], measured: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Logarithm of each sample's time by a fit to the samples outside its fold."""
    order = np.random.default_rng(SEED).permutation(len(samples))
    folds = np.array_split(order, min(FOLDS, len(samples)))
    found = np.empty(len(samples))
    for fold in folds:
        rest = np.setdiff1d(order, fold)
        best = fit.best(Workload([samples[i] for i in rest]), measured[rest], sigma[rest])
        found[fold] = fit.log_ms(Workload([samples[i] for i in fold]), best[:, np.newaxis])[:, 0]
    return found


def _members(
    fit: _Fit, workload: Workload, measured: np.ndarray, sigma: np.ndarray, best: np.ndarray
) -> np.ndarray:
    """Logarithms [MEMBERS, G] of the factors of each member of the ensemble, relative to `best`."""
    random = np.random.default_rng(SEED)
    drawn = draws(fit.profile, MEMBERS)
    rows = []
    for member in range(MEMBERS):
        single = {path: float(factors[member]) for path, factors in drawn.items()}
        target = measured + sigma * random.standard_normal(len(measured))
        centre = fit.widths * random.standard_normal(len(best))
        rows.append(fit.best(workload, target, sigma, single, centre, start=best) - best)
    return np.array(rows)


def _without_spread(profile: DeviceProfile, paths: set[str]) -> DeviceProfile:
    """`profile` with these figures certain: what is known of them is in the ensemble."""
    return _with_figures(profile, {path: {"spread": 1.0} for path in paths})


def _fitted(
    profile: DeviceProfile,
    fit: _Fit,
    best: np.ndarray,
    members: np.ndarray,
    source: str,
    name: str,
) -> DeviceProfile:
    factors = fit.factors(best[:, np.newaxis])
    figures = {
        path: {
            "value": float(f"{profile.figures[path].value * float(factor[0]):.4g}"),
            "source": f"{source}; before: {_origin(profile.figures[path].source)}",
        }
        for path, factor in factors.items()
    }
    data = _with_figures(profile, figures).model_dump(mode="json")
    data |= {
        "name": name,
        "version": profile.version + 1,
        "fit": [group.model_dump(mode="json") for group in fit.groups],
        "ensemble": {
            "columns": [group.name for group in fit.groups],
            "rows": [[float(f"{factor:.4g}") for factor in row] for row in np.exp(members)],
        },
        "calibration": source,
    }
    return DeviceProfile.model_validate(data)


def _residual(errors: np.ndarray, priced: np.ndarray) -> float:
    """Factor of one standard deviation of what neither the figures nor their uncertainty explain.

    `errors` [N] are logarithms, of estimates by fits to the others; `priced` [N, 1 + K] is what the ensemble
    says of the same, whose variance is in those errors already. Few errors are taken to be more, as in
    Student's distribution, so that 90 % intervals hold for what is not measured.
    """
    ratio = float(student.ppf(0.95, len(errors))) / NORMAL_90
    variances = np.mean(np.log(priced[:, 1:] / priced[:, :1]) ** 2, axis=1)
    explained = np.mean(variances) if len(errors) <= FOLDS else np.median(variances)
    variance = _deviation(errors) ** 2 * ratio**2 - explained
    return exp(sqrt(max(LEAST_ERROR**2, variance)))


def _with_residual(profile: DeviceProfile, residual: float, source: str) -> DeviceProfile:
    data = profile.model_dump(mode="json")
    data["residual"] = {
        "value": float(f"{residual:.3g}"),
        "source": f"errors of measurements left out of the fit, {source}",
    }
    data["residual_beyond"]["value"] = max(data["residual"]["value"], data["residual_beyond"]["value"])
    return DeviceProfile.model_validate(data)


def _origin(source: str) -> str:
    """A figure's source before any fit, so that fitting again doesn't pile them up."""
    return source.rsplit("; before: ", 1)[-1]


def _with_figures(profile: DeviceProfile, changes: Mapping[str, Mapping[str, Any]]) -> DeviceProfile:
    data = profile.model_dump(mode="json")
    for path, change in changes.items():
        figure = data
        for part in path.split("."):
            figure = figure[part]
        figure |= change
    return DeviceProfile.model_validate(data)


def _deviation(errors: np.ndarray) -> float:
    """Standard deviation of errors around 0; of many, from the median of their sizes: a few far ones don't
    move that."""
    if len(errors) <= FOLDS:
        return float(np.sqrt(np.mean(np.square(errors))))
    return float(1.4826 * np.median(np.abs(errors)))


def _model_error(errors: np.ndarray, fit: _Fit) -> float:
    """Standard deviation of what the model leaves of each time, from the errors [N] of a fit to them.

    Every factor fitted takes one error away, but never more than half of them: priors hold the rest.
    """
    fitted = min(len(fit.groups), len(errors) / 2)
    deviation = _deviation(errors) * sqrt(len(errors) / (len(errors) - fitted))
    return min(max(LEAST_ERROR, deviation), MOST_ERROR)
