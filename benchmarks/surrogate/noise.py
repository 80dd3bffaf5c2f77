"""How far trainings of one design lie apart, from designs that were trained with several seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import chi2

from surrogate.rows import Rows


@dataclass(frozen=True)
class Noise:
    """Normal noise of a training's PSNR, the logarithm of its deviation linear in the quality.

    deviation = exp(intercept + slope * (quality - centre)), dB. `p_value` is of the likelihood-ratio test
    against equal noise everywhere (slope = 0).
    """

    intercept: float
    slope: float
    centre: float
    p_value: float

    def deviation(self, quality: float) -> float:
        """Standard deviation of trainings of this noise-free quality, dB."""
        return float(np.exp(self.intercept + self.slope * (quality - self.centre)))


def fit_noise(rows: Rows) -> Noise:
    """The noise of repeated designs, by maximum likelihood given each design's mean."""
    by_design = pd.Series(rows.psnr).groupby(rows.hash)
    repeated = by_design.agg(["mean", "var", "size"])
    repeated = repeated[repeated["size"] > 1]
    mean, freedom = repeated["mean"].to_numpy(), repeated["size"].to_numpy() - 1
    squares = repeated["var"].to_numpy() * freedom
    centre = float(mean.mean())

    def unlikelihood(intercept: float, slope: float) -> float:
        logs = intercept + slope * (mean - centre)
        return float((freedom * logs + squares / 2 * np.exp(-2 * logs)).sum())

    equal = 0.5 * np.log(squares.sum() / freedom.sum())
    best = minimize(lambda at: unlikelihood(*at), x0=(equal, 0.0), method="Nelder-Mead")
    ratio = 2 * (unlikelihood(equal, 0.0) - best.fun)
    return Noise(float(best.x[0]), float(best.x[1]), centre, float(chi2.sf(ratio, df=1)))
