"""`fit_profile`: figures of a device profile that agree with what was measured on the device.

Groups of figures are multiplied by one factor each: the factors that bring the logarithm of estimated over
measured times closest to zero while they stay near 1, as wide as their prior says (the most probable ones,
for log-normal priors and errors). How sure they are is a sample of the posterior by randomised maximum
likelihood (Bardsley et al., "Randomize-then-optimize", SIAM J. Sci. Comput. 2014): every member of the
ensemble is fitted again to perturbed measurements, with a perturbed prior and with its own draw of the
figures that aren't fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from nas.calibration.fitting_errors import fitted_with_errors, left_out, unexplained
from nas.calibration.fitting_factors import Factors, single_figures
from nas.calibration.fitting_profile import with_factors, with_residual, without_spread
from nas.calibration.samples import Sample, Workload
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import MEMBERS, SEED, draws, sampled
from nas.costs.hardware import hardware
from nas.costs.standing import coverage
from search_space.counting import plural
from search_space.errors import UserError

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
        raise UserError(f"{plural(len(samples), 'measurement')} can't calibrate anything: give at least 2")
    has_probes = any(sample.measurement.frames == 0 for sample in samples)
    groups = single_figures(profile, samples) if has_probes else profile.fit
    if not groups:
        raise UserError(f"profile {profile.name} has no fit groups: name them, or measure probes")
    factors = Factors(profile, groups)
    measured = np.log([sample.measurement.latency_ms for sample in samples])
    noise = np.array([log(1 + sample.measurement.spread) for sample in samples])

    workload = Workload(samples)
    best, sigma = fitted_with_errors(factors, workload, measured, noise)
    others = left_out(factors, samples, measured, noise)
    errors = others - measured

    fixed = {path for group in groups for path in factors.paths[group.name]} if has_probes else set()
    bare = Factors(without_spread(profile, fixed), groups)
    members = _members(bare, workload, measured, sigma, best)

    source = f"fitted to {plural(len(samples), 'measurement')} of {measured_on}"
    ran = {
        (unit, operation.kind)
        for sample in samples
        for unit, program in sample.chain
        for operation in program.operations
    }
    fitted = with_factors(bare, best, members, ran, source, name)
    priced = workload.milliseconds(sampled(fitted))
    times = priced[:, 0]
    typical = np.array([sample.measurement.frames > 0 for sample in samples])
    if typical.sum() < FEWEST_DECODERS:
        typical[:] = True
    fitted = with_residual(fitted, unexplained(errors[typical], priced[typical]), source)
    covered = coverage([sample.chain for sample in samples], hardware(fitted))
    fitted = fitted.model_copy(update={"coverage": covered})
    rows = tuple(
        Compared(
            sample.measurement.subject,
            sample.measurement.frames,
            sample.measurement.latency_ms,
            float(time),
            exp(other),
        )
        for sample, time, other in zip(samples, times, others, strict=True)
    )
    return Calibration(fitted, rows)


def _members(
    factors: Factors, workload: Workload, measured: np.ndarray, sigma: np.ndarray, best: np.ndarray
) -> np.ndarray:
    """Logarithms [MEMBERS, G] of the factors of each member of the ensemble, relative to `best`."""
    random = np.random.default_rng(SEED)
    drawn = draws(factors.profile, MEMBERS)
    rows = []
    for member in range(MEMBERS):
        single = {path: float(values[member]) for path, values in drawn.items()}
        target = measured + sigma * random.standard_normal(len(measured))
        centre = factors.widths * random.standard_normal(len(best))
        rows.append(factors.best(workload, target, sigma, single, centre, start=best) - best)
    return np.array(rows)
