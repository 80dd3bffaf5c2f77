"""Expected gain of hypervolume where some objectives are known exactly and the others are predicted.

The region that a front leaves undominated is cut into boxes that don't overlap (Lacour, Klamroth, Fonseca,
Computers & Operations Research 79, 2017; BoTorch's implementation). What a design adds is the sum of the
parts of those boxes that it dominates. Within a box the part along a known objective is a number; along a
predicted one it is linear between the box's ends, so that its expectation under a normal distribution is a
difference of two expected improvements in closed form (Yang, Emmerich, Deutz, Bäck, Journal of Global
Optimization 75, 2019). Several predicted objectives are taken as independent.
"""

from __future__ import annotations

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning
from scipy.special import ndtr

_CELLS = 4_000_000  # numbers of an array [designs, boxes], so that memory stays small


def boxes(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The region above the reference point that no point of the front dominates, as boxes.

    Args:
        front: points [K, M], more being better; dominated ones and ones below the reference do no harm.
        reference: [M].

    Returns:
        Lower and upper corners, each [B, M]; an upper one may be infinite.
    """
    partitioning = FastNondominatedPartitioning(torch.from_numpy(reference), torch.from_numpy(front))
    lower, upper = partitioning.hypercell_bounds.numpy()
    return lower, upper


def expected_improvement(
    known: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> np.ndarray:
    """Expected gain of hypervolume [N] of each of N designs alone.

    Args:
        known: values of the objectives known exactly [N, C], more being better.
        mean, deviation: of the normal distributions of the others [N, Q].
        lower, upper: boxes [B, Q + C], as `boxes` makes them of a front; predicted objectives come first.
    """
    gains = np.empty(len(known))
    chunk = max(_CELLS // len(lower), 1)
    for begin in range(0, len(known), chunk):
        rows = slice(begin, begin + chunk)
        gains[rows] = _gains(known[rows], mean[rows], deviation[rows], lower, upper)
    return gains


def _gains(
    known: np.ndarray, mean: np.ndarray, deviation: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    predicted = mean.shape[1]
    volume = np.ones((len(known), len(lower)))
    for column in range(known.shape[1]):
        value, low, high = known[:, column, None], lower[:, predicted + column], upper[:, predicted + column]
        volume *= np.maximum(np.minimum(value, high) - low, 0)
    for column in range(predicted):
        ends = (lower[:, column], upper[:, column])
        above_low, above_high = (_expected_excess(mean[:, column], deviation[:, column], end) for end in ends)
        volume *= above_low - above_high
    return np.asarray(volume.sum(axis=1))


def _expected_excess(mean: np.ndarray, deviation: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The mean of max(x - level, 0) for normal x: [N, B] of means and deviations [N] and levels [B]."""
    excess = mean[:, None] - level
    standard = excess / deviation[:, None]
    density = np.exp(-0.5 * standard**2) / np.sqrt(2 * np.pi)
    finite = np.isfinite(level)
    return np.where(finite, np.where(finite, excess, 0) * ndtr(standard) + deviation[:, None] * density, 0)
