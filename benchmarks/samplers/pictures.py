"""The picture that compares searches."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import moocore
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from samplers.report import best_other, curves
from samplers.scoring import REFERENCE, points
from samplers.searches import ABLATIONS, BUDGET, OURS, RANDOM

_SECONDS = 50  # places of the time axis


def draw(trajectories: pd.DataFrame, path: Path) -> None:
    """Draws hypervolume against trainings and against time, and what fronts half of the seeds attain."""
    mpl.use("Agg")
    compared = trajectories[~trajectories["search"].isin(list(ABLATIONS))]
    found = curves(compared)
    colours = dict(zip(found, sns.color_palette("tab10", len(found)), strict=True))
    with sns.axes_style("whitegrid"):
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 5), constrained_layout=True)
    for name, runs in found.items():
        look = {"color": colours[name], "linewidth": 2.5 if name in OURS else 1.2}
        left.plot(np.arange(1, runs.shape[1] + 1), runs.mean(axis=0), label=name, **look)
        left.fill_between(
            np.arange(1, runs.shape[1] + 1),
            *np.quantile(runs, (0.25, 0.75), axis=0),
            color=colours[name],
            alpha=0.1,
        )
        middle.plot(*_against_time(compared[compared["search"] == name], runs), **look)
    for name in dict.fromkeys((*[one for one in OURS if one in found], best_other(found), RANDOM)):
        _attained(right, compared[compared["search"] == name], colours[name], name)
    left.set(xscale="log", xlabel="trainings", ylabel="hypervolume, dB x decades of latency")
    middle.set(xscale="log", xlabel="processor seconds of training")
    right.set(xscale="log", xlabel="latency, ms (estimated)", ylabel="PSNR without noise, dB")
    left.set_title("Mean over seeds, quartiles shaded")
    middle.set_title("The same against time")
    right.set_title(f"Attained by half of the seeds, {BUDGET} trainings")
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    figure.suptitle(
        "Simulated: trainings are drawn from a model of real ones (stand-in teacher, narrowed designs)"
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _against_time(search: pd.DataFrame, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean hypervolume at times that all seeds come to."""
    spent = [run.sort_values("trial")["seconds"].cumsum().to_numpy() for _, run in search.groupby("seed")]
    times = np.geomspace(10, min(seconds[-1] for seconds in spent), _SECONDS)
    at = [
        np.append(0, run)[np.searchsorted(seconds, times, side="right")]
        for run, seconds in zip(runs, spent, strict=True)
    ]
    return times, np.mean(at, axis=0)


def _attained(axes: Axes, search: pd.DataFrame, colour: tuple[float, ...], name: str) -> None:
    early = search[search["trial"] < BUDGET]
    reached = points(early["quality"].to_numpy(), early["latency_ms"].to_numpy())
    surface = moocore.eaf(reached, sets=early["seed"].to_numpy(), percentiles=[50])
    surface = surface[np.argsort(surface[:, 1])]
    latency = np.append(10 ** surface[:, 1], REFERENCE.latency_ms)
    quality = np.append(-surface[:, 0], -surface[-1, 0])
    axes.step(latency, quality, where="post", color=colour, label=name, linewidth=2 if name in OURS else 1.2)
