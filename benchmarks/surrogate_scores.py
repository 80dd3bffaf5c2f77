"""How well trainings are predicted from designs and their costs, designs left out in turn.

    python benchmarks/surrogate_scores.py

Prints, for each teacher in the table of trainings, cross-validated scores of several tree ensembles (the
surrogate's is one), those of the surrogate's other parts, and the noise of repeated trainings. No design is
in a fit that predicts it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.base import RegressorMixin
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.model_selection import GroupKFold
from surrogate.model import benchmark, features, regressor
from surrogate.noise import fit_noise
from surrogate.rows import HALFWAY, STEPS, Rows, read, teachers

from search_space import SearchSpace

FOLDS = 10
FEWEST = 10  # designs below which nothing is said
ENSEMBLES: dict[str, Callable[[], RegressorMixin]] = {
    "extremely randomised trees": lambda: ExtraTreesRegressor(100, max_features=0.5, random_state=0),
    "the same, leaves of 3": regressor,
    "random forest": lambda: RandomForestRegressor(100, max_features=0.5, random_state=0),
    "boosted trees, depth 2": lambda: _boosted(2),
    "boosted trees, depth 3": lambda: _boosted(3),
    "boosted trees, depth 5": lambda: _boosted(5),
    "boosted trees on histograms": lambda: HistGradientBoostingRegressor(random_state=0),
}


def _boosted(depth: int) -> RegressorMixin:
    return GradientBoostingRegressor(
        n_estimators=300, learning_rate=0.05, max_depth=depth, subsample=0.5, max_features=0.3, random_state=0
    )


def left_out(
    model: Callable[[], RegressorMixin], told: np.ndarray, target: np.ndarray, groups: np.ndarray
) -> pd.DataFrame:
    """Target and what is predicted of each design by fits to the others, means over its trainings."""
    known = np.isfinite(target)
    told, target, groups = told[known], target[known], groups[known]
    predicted = np.empty(len(target))
    for fitted, judged in GroupKFold(FOLDS, shuffle=True, random_state=0).split(told, target, groups):
        predicted[judged] = model().fit(told[fitted], target[fitted]).predict(told[judged])
    frame = pd.DataFrame({"group": groups, "target": target, "predicted": predicted})
    return frame.groupby("group").mean()


def scores(designs: pd.DataFrame) -> str:
    """R2, Spearman's coefficient and the root of the mean squared error, as cells of a table."""
    off = designs["target"] - designs["predicted"]
    explained = 1 - (off**2).mean() / designs["target"].var(ddof=0)
    ranks = spearmanr(designs["target"], designs["predicted"]).statistic
    return f"{len(designs)} | {explained:.2f} | {ranks:.2f} | {np.sqrt((off**2).mean()):.2f}"


def report(space: SearchSpace, told: np.ndarray, rows: Rows) -> None:
    """The tables of one teacher."""
    head = "| designs | R2 | Spearman | off by, RMS |\n|---|---|---|---|---|"
    print(f"\n| PSNR after {STEPS} steps, dB {head}")
    for name, model in ENSEMBLES.items():
        print(f"| {name} | {scores(left_out(model, told, rows.psnr, rows.hash))} |")
    print(f"\n| the surrogate's {head}")
    for name, target in {
        f"PSNR after {STEPS} steps, dB": rows.psnr,
        f"its rise over the last {STEPS - HALFWAY} steps, dB": rows.psnr - rows.halfway,
        "log of seconds": np.log(rows.seconds),
    }.items():
        print(f"| {name} | {scores(left_out(regressor, told, target, rows.hash))} |")
    kept = rows.fitted
    print(
        f"| PSNR, of what the comparison of samplers stands on | "
        f"{scores(left_out(regressor, told[kept], rows.psnr[kept], rows.hash[kept]))} |"
    )
    searched = np.isin(rows.hash, rows.hash[rows.origin == "search"])
    print(f"\n{len(set(rows.hash[searched]))} designs were gathered by searches with our own sampler.")
    if len(set(rows.hash[searched])) >= FEWEST:
        print(f"\n| the surrogate's PSNR {head}")
        others = left_out(regressor, told[~searched], rows.psnr[~searched], rows.hash[~searched])
        print(f"| fitted to the others, of each left out | {scores(others)} |")
        fitted = regressor().fit(told[~searched], rows.psnr[~searched])
        apart = pd.DataFrame({"target": rows.psnr, "predicted": fitted.predict(told)})[searched]
        print(f"| fitted to the others, of those | {scores(apart.groupby(rows.hash[searched]).mean())} |")


def noise_report(rows: Rows) -> None:
    """The noise of repeated trainings, and what R2 it leaves to be reached."""
    noise = fit_noise(rows)
    by_design = pd.Series(rows.psnr).groupby(rows.hash)
    counts, within = by_design.size(), by_design.var().mean()
    print(
        f"\nNoise of {(counts > 1).sum()} repeated designs: standard deviation {np.sqrt(within):.2f} dB; "
        f"fitted {np.exp(noise.intercept):.2f} dB at {noise.centre:.1f} dB, times {np.exp(noise.slope):.2f} "
        f"a dB (likelihood ratio against equal noise: p = {noise.p_value:.3f})."
    )
    total = by_design.mean().var()
    print(
        f"Designs' means have a standard deviation of {np.sqrt(total):.2f} dB, the noise included: no model "
        f"could reach an R2 above {1 - (within / counts).mean() / total:.2f}."
    )


def main() -> None:
    space, costs = benchmark()
    for weights in teachers():
        rows = read(space, weights)
        if len(set(rows.hash)) < FEWEST:
            continue
        print(f"\n## Teacher {weights[:12]}: {len(rows)} trainings of {len(set(rows.hash))} designs")
        report(space, features(space, costs.costs(rows.designs), rows.designs), rows)
        if len(set(rows.hash)) < len(rows):
            noise_report(rows)


if __name__ == "__main__":
    main()
