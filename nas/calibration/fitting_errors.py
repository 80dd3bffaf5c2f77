"""How far off a fit is: on what it was fitted to, and on what was left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np
from scipy.stats import t as student

from nas.calibration.fitting_factors import Factors
from nas.calibration.samples import Sample, Workload
from nas.costs.ensemble import NORMAL_90, SEED

FOLDS = 10  # parts that are left out in turn, where there are more samples than that
FIRST_ERROR = log(1.15)  # of one standard deviation, before the errors of a fit are known
LEAST_ERROR, MOST_ERROR = log(1.03), log(1.5)  # more, and measurements would say next to nothing


def fitted_with_errors(
    factors: Factors, workload: Workload, measured: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable logarithms [G], and the errors [N] that such a fit leaves of each measurement.

    Fitted twice: first with errors that are guessed, then with those that the first fit leaves.

    Args:
        factors: of which figures.
        workload: N samples.
        measured: logarithms [N] of their times.
        noise: standard deviations [N] of these logarithms between samples of one measurement.
    """
    guessed = np.hypot(noise, FIRST_ERROR)
    first = factors.best(workload, measured, guessed)
    left = factors.log_ms(workload, first[:, np.newaxis])[:, 0] - measured
    sigma = np.hypot(noise, _model_error(left, factors.identified(workload, first, guessed)))
    return factors.best(workload, measured, sigma, start=first), sigma


def left_out(
    factors: Factors, samples: Sequence[Sample], measured: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Logarithm [N] of each sample's time by a fit to the samples outside its fold, which sees nothing of it:
    errors, and with them how much the priors count, are those of the others too."""
    order = np.random.default_rng(SEED).permutation(len(samples))
    folds = np.array_split(order, min(FOLDS, len(samples)))
    found = np.empty(len(samples))
    for fold in folds:
        rest = np.setdiff1d(order, fold)
        best, _ = fitted_with_errors(
            factors, Workload([samples[i] for i in rest]), measured[rest], noise[rest]
        )
        found[fold] = factors.log_ms(Workload([samples[i] for i in fold]), best[:, np.newaxis])[:, 0]
    return found


def unexplained(errors: np.ndarray, priced: np.ndarray) -> float:
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


def _deviation(errors: np.ndarray) -> float:
    """Standard deviation of errors around 0; of many, from the median of their sizes: a few far ones don't
    move that."""
    if len(errors) <= FOLDS:
        return float(np.sqrt(np.mean(np.square(errors))))
    return float(1.4826 * np.median(np.abs(errors)))


def _model_error(errors: np.ndarray, identified: float) -> float:
    """Standard deviation of what the model leaves of each time, from the errors [N] of a fit to them.

    Every factor that the fit determines takes one error away, but never more than half of them: priors hold
    the rest.
    """
    fitted = min(identified, len(errors) / 2)
    deviation = _deviation(errors) * sqrt(len(errors) / (len(errors) - fitted))
    return min(max(LEAST_ERROR, deviation), MOST_ERROR)
