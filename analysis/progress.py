"""How far a running search is, and how long it may take."""

from dataclasses import dataclass

import pandas as pd

_RECENT = 20  # trainings whose mean duration is taken


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        spent: trainings that are over, stopped ones included: what a budget counts.
        budget: trainings asked for; None where nobody said.
        running: trainings under way.
        per_hour: trainings an hour, as many at once as now; None before the first is over.
        seconds_left: until the budget is spent; None where it can't be said.
    """

    spent: int
    budget: int | None
    running: int
    per_hour: float | None
    seconds_left: float | None


def progress(study: pd.DataFrame, budget: int | None) -> Progress:
    """How far a search is, by the mean duration of its latest trainings.

    Args:
        study: a table from ``load_study``.
        budget: trainings asked for, earlier ones included.
    """
    over = study[study["outcome"].isin(["trained", "stopped"])]
    running = study[study["outcome"] == "running"]
    parts = over[[name for name in study.columns if name.startswith("seconds.")]]
    durations = parts.sum(axis=1, min_count=1).dropna().tail(_RECENT)
    if durations.empty or not durations.mean():
        return Progress(len(over), budget, len(running), None, None)
    each, at_once = float(durations.mean()), max(1, len(running))
    left = None
    if budget is not None:
        begun = (running["progress.step"] / running["progress.steps"]).astype(float).fillna(0.0).sum()
        left = max(0.0, budget - len(over) - float(begun)) * each / at_once
    return Progress(len(over), budget, len(running), at_once / each * 3600, left)


def duration(seconds: float) -> str:
    """``"40 s"``, ``"12 min"``, ``"3.4 h"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
