"""How good a search is after each training: the hypervolume of what it trained, by noise-free quality."""

from __future__ import annotations

from dataclasses import dataclass

import moocore
import numpy as np


@dataclass(frozen=True)
class Reference:
    """The point that a hypervolume is measured from; what is worse in either adds nothing."""

    psnr: float
    latency_ms: float


# The quality of a linear decoder trained as designs are (`python benchmarks/linear_decoder.py`), and twice
# the latency of the published design, 1599.7 ms. Fixed, whatever becomes of the table and the cost model.
REFERENCE = Reference(15.91, 3199.3)
ALTERNATIVES = {
    "one colour for everything": Reference(13.82, 3199.3),
    "no slower than the published design": Reference(15.91, 1599.7),
}


def points(psnr: np.ndarray, latency_ms: np.ndarray) -> np.ndarray:
    """What is minimised, [N, 2]: negative PSNR in dB and the decimal logarithm of the latency."""
    return np.column_stack([-psnr, np.log10(latency_ms)])


def hypervolumes(psnr: np.ndarray, latency_ms: np.ndarray, reference: Reference = REFERENCE) -> np.ndarray:
    """The hypervolume after each of N trainings, [N], dB x decades of latency.

    Computed by moocore.
    """
    corner = points(np.array([reference.psnr]), np.array([reference.latency_ms]))[0]
    reached = points(psnr, latency_ms)
    return np.array([moocore.hypervolume(reached[: n + 1], ref=corner) for n in range(len(reached))])


def trainings_to(level: float, hypervolume: np.ndarray) -> float:
    """After how many trainings a level is reached; infinity where it never is."""
    reached = np.flatnonzero(hypervolume >= level)
    return float(reached[0] + 1) if len(reached) else np.inf
