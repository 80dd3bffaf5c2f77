"""The tables that compare searches."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from samplers.scoring import ALTERNATIVES, REFERENCE, Reference, hypervolumes, trainings_to
from samplers.searches import ABLATIONS, BUDGET, OURS, RANDOM

_SHOWN = (5, 10, 20, 30, 50, 100, 200)  # trainings


def curves(trajectories: pd.DataFrame, reference: Reference = REFERENCE) -> dict[str, np.ndarray]:
    """The hypervolume of each search after each training, [seeds, trainings], by seed from 0."""
    found = {}
    for name, search in trajectories.groupby("search", sort=False):
        runs = [run.sort_values("trial") for _, run in search.groupby("seed")]
        found[str(name)] = np.array(
            [hypervolumes(run["quality"].to_numpy(), run["latency_ms"].to_numpy(), reference) for run in runs]
        )
    return found


def report(trajectories: pd.DataFrame) -> None:
    """Prints all tables, of simulated searches."""
    by_reference = {
        f"{REFERENCE.psnr} dB, {REFERENCE.latency_ms:.0f} ms": curves(trajectories),
        **{
            f"{one.psnr} dB, {one.latency_ms:.0f} ms ({name})": curves(trajectories, one)
            for name, one in ALTERNATIVES.items()
        },
    }
    main, *_ = by_reference.values()
    _hypervolumes(main)
    for name, found in by_reference.items():
        print(f"\n## Trainings to a level, hypervolume from {name}; simulated")
        _levels(found)
    print("\n## The same by processor time of the trainings; simulated")
    _seconds(trajectories, main)
    print("\n## Hypervolume with a part taken away, less ours with the same seeds; simulated\n")
    _ablations(main)


def _ablations(found: dict[str, np.ndarray]) -> None:
    after = [number for number in _SHOWN if number <= BUDGET]
    print(f"| trainings | seeds | {' | '.join(map(str, after))} |\n|---|---{'|---' * len(after)}|")
    whole = found[OURS[0]]
    for name in ABLATIONS:
        seeds = min(len(found[name]), len(whole))
        less = found[name][:seeds] - whole[:seeds]
        print(f"| {name} | {seeds} | {' | '.join(_mean(less, number) for number in after)} |")


def _hypervolumes(found: dict[str, np.ndarray]) -> None:
    print(
        "Mean hypervolume of noise-free quality, dB x decades, with a 95 % interval of the mean; simulated\n"
    )
    print(f"| trainings | seeds | {' | '.join(map(str, _SHOWN))} |\n|---|---{'|---' * len(_SHOWN)}|")
    for name, runs in found.items():
        if name not in ABLATIONS:
            print(f"| {name} | {len(runs)} | {' | '.join(_mean(runs, after) for after in _SHOWN)} |")


def _mean(runs: np.ndarray, after: int) -> str:
    if runs.shape[1] < after:
        return ""
    values = runs[:, after - 1]
    if len(values) < 3 or values.std() == 0:
        return f"{values.mean():.2f}"
    low, high = bootstrap((values,), np.mean, random_state=np.random.default_rng(0)).confidence_interval
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def best_other(found: dict[str, np.ndarray]) -> str:
    """The search, of those that aren't ours, that has the highest mean after the common budget."""
    others = [name for name in found if name not in OURS and name not in ABLATIONS]
    return max(others, key=lambda name: found[name][:, BUDGET - 1].mean())


def _levels(found: dict[str, np.ndarray]) -> None:
    other = best_other(found)
    levels = {
        f"{other}, {BUDGET}": found[other][:, BUDGET - 1].mean(),
        f"{RANDOM}, {found[RANDOM].shape[1]}": found[RANDOM].mean(axis=0)[-1],
    }
    heads = [f"{level:.2f} ({name} trainings)" for name, level in levels.items()]
    print(f"\n| trainings until the mean is | {' | '.join(heads)} |\n|---|---|---|")
    for name, runs in found.items():
        if name not in ABLATIONS:
            print(f"| {name} | {' | '.join(_until(runs, level) for level in levels.values())} |")


def _until(runs: np.ndarray, level: float) -> str:
    """When the mean over seeds reaches a level, and the quartiles of when the seeds do."""
    mean = trainings_to(level, runs.mean(axis=0))
    each = np.array([trainings_to(level, run) for run in runs])
    low, high = (np.quantile(each, share, method="inverted_cdf") for share in (0.25, 0.75))
    shown = [f"{one:.0f}" if np.isfinite(one) else "never" for one in (mean, low, high)]
    return f"{shown[0]} (quartiles of seeds {shown[1]}, {shown[2]})"


def _seconds(trajectories: pd.DataFrame, found: dict[str, np.ndarray]) -> None:
    other = best_other(found)
    level = found[other][:, BUDGET - 1].mean()
    print(f"\n| seconds until a seed has {level:.2f} | median | seeds that reach it |\n|---|---|---|")
    compared = trajectories[~trajectories["search"].isin(list(ABLATIONS))]
    for name, search in compared.groupby("search", sort=False):
        spent = [run.sort_values("trial")["seconds"].cumsum().to_numpy() for _, run in search.groupby("seed")]
        after = [trainings_to(level, run) for run in found[str(name)]]
        times = [
            seconds[int(number) - 1] if np.isfinite(number) else np.inf
            for seconds, number in zip(spent, after, strict=True)
        ]
        median = np.quantile(times, 0.5, method="inverted_cdf")
        shown = f"{median:.0f}" if np.isfinite(median) else "never"
        print(f"| {name} | {shown} | {np.isfinite(times).sum()} of {len(times)} |")
