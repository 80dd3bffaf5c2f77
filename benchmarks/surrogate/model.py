"""Trainings simulated by a model of real ones, so that a search takes seconds (as NAS-Bench-301 does).

    space, costs = benchmark()
    surrogate = Surrogate(space, costs.costs, read(space, teachers()[0]))
    surrogate.quality(designs)           # noise-free PSNR
    surrogate.train(designs[0], seed=3)  # what one training comes to

Extremely randomised trees (Geurts et al., 2006) on a design's encoding and the logarithms of its exact costs:
another kind of model than the Gaussian process of our own sampler, though told the same of a design, which
the black boxes that it is compared with aren't. How well they predict: `python
benchmarks/surrogate_scores.py`. NAS-Bench-301: Zela et al., ICLR 2022, arXiv 2008.09777.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from nas.costs import load_device
from nas.costs.tables.space_costs import Costs, SpaceCosts
from nas.sampling.encoding import encode_designs
from search_space import SearchSpace
from surrogate.noise import Noise, fit_noise
from surrogate.rows import HALFWAY, STEPS, Rows

TEACHER, DEVICE = "wan", "iphone-16-pro"

Pricer = Callable[[np.ndarray], Costs]


def regressor() -> ExtraTreesRegressor:
    """The tree ensemble, not yet fitted; `benchmarks/surrogate_scores.py` compares it with others.

    Leaves of three trainings or more: single ones predict left-out designs slightly better, but reproduce the
    noise of the designs that were trained, which a search would find as quality.
    """
    return ExtraTreesRegressor(100, max_features=0.5, min_samples_leaf=3, random_state=0)


def features(space: SearchSpace, costs: Costs, designs: np.ndarray) -> np.ndarray:
    """What a model is told of designs [N, P] with these costs: their encoding and log costs, [N, F]."""
    logs = np.log([costs.flops, costs.latency_ms, costs.params, costs.peak_memory_bytes])
    return np.hstack([encode_designs(space, designs), logs.T])


def benchmark() -> tuple[SearchSpace, SpaceCosts]:
    """The space of the table of trainings, and the costs of its designs."""
    space = SearchSpace.preset(TEACHER)

    def say(done: int, total: int) -> None:
        if done % 500 == 0:
            print(f"{done} of {total} parts priced, once for all", flush=True)

    return space, SpaceCosts(space, load_device(DEVICE), progress=say)


@dataclass(frozen=True)
class Simulated:
    """What a simulated training comes to.

    Attributes:
        psnr: with noise, dB.
        quality: without it, which a search isn't told.
        curve: steps and PSNR, with noise.
        seconds: the process's own.
        latency_ms: of the design, exact.
    """

    psnr: float
    quality: float
    curve: tuple[tuple[int, float], ...]
    seconds: float
    latency_ms: float


class Surrogate:
    """A model of trainings under one preset."""

    def __init__(self, space: SearchSpace, costs: Pricer, rows: Rows, noise: Noise | None = None) -> None:
        """Fits it.

        Args:
            space: of the designs.
            costs: as `SpaceCosts.costs`.
            rows: the trainings.
            noise: of trainings; by default that of the designs among the rows that were trained repeatedly.
        """
        self._space, self._costs = space, costs
        told = features(space, costs(rows.designs), rows.designs)
        self.noise = noise or fit_noise(rows)
        self._quality = _fitted(told, rows.psnr)
        self._seconds = _fitted(told, np.log(rows.seconds))
        known = np.isfinite(rows.halfway)
        # The rise of the rest depends on nothing that the trees could find.
        end, halfway = rows.psnr[known], rows.halfway[known]
        self._halfway = np.polynomial.Polynomial.fit(end, halfway, deg=1)
        self._halfway_deviation = float((halfway - self._halfway(end)).std(ddof=2))

    def quality(self, designs: np.ndarray) -> np.ndarray:
        """PSNR without noise of designs [N, P], dB, [N]."""
        return _mean(self._quality, features(self._space, self._costs(designs), designs))

    def train(self, design: np.ndarray, seed: int) -> Simulated:
        """A training of a design [P], canonical; the same for the same seed, whoever asks."""
        costs = self._costs(design[None])
        told = features(self._space, costs, design[None])
        quality = float(_mean(self._quality, told)[0])
        drawn = np.random.default_rng((crc32(design.tobytes()), seed)).standard_normal(2)
        psnr = quality + float(drawn[0]) * self.noise.deviation(quality)
        halfway = float(self._halfway(psnr)) + float(drawn[1]) * self._halfway_deviation
        seconds = float(np.exp(_mean(self._seconds, told)[0]))
        curve = ((HALFWAY, halfway), (STEPS, psnr))
        return Simulated(psnr, quality, curve, seconds, float(costs.latency_ms[0]))


def _fitted(told: np.ndarray, target: np.ndarray) -> ExtraTreesRegressor:
    known = np.isfinite(target)
    return regressor().fit(told[known], target[known])


def _mean(forest: ExtraTreesRegressor, told: np.ndarray) -> np.ndarray:
    """What the forest predicts; its own `predict` takes forty times as long for a single design."""
    inputs = told.astype(np.float32)
    return np.mean([tree.tree_.predict(inputs)[:, 0] for tree in forest.estimators_], axis=0)
