"""Bars of uncertainty about the designs of a front."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..quantities import Objective
from ..uncertainty import LEVEL, seed_spread
from .canvas import COLOURS, place

_STYLE = {"fmt": "none", "ecolor": COLOURS[0], "elinewidth": 1, "capsize": 2, "alpha": 0.4, "zorder": 2}


def latency_interval(front: pd.DataFrame, across: Objective) -> list[pd.Series]:
    """Both ends of the 90 % interval of each design's latency or speed; none where the study has none."""
    if across.name not in ("latency_ms", "fps") or "latency_low_ms" not in front:
        return []
    ends = [front["latency_low_ms"], front["latency_high_ms"]]
    if across.name == "fps":
        return [front["fps"] * front["latency_ms"] / end for end in reversed(ends)]
    return ends


def latency_bars(ax: Axes, front: pd.DataFrame, across: Objective, up: Objective) -> str:
    """Draws the interval of each estimate along the lower axis and returns the note on it, empty if none."""
    ends = latency_interval(front, across)
    if not ends:
        return ""
    x, y = place(front, across, up)
    ax.errorbar(x, y, xerr=np.abs(np.array(ends, dtype=float) - x), **_STYLE)
    return f"Bars across: 90 % interval of the estimated {across.quantity.label}."


def seed_bars(ax: Axes, front: pd.DataFrame, study: pd.DataFrame, across: Objective, up: Objective) -> str:
    """Draws what seeds alone can change and returns the note on it, empty where that isn't known.

    Half of the least significant difference of two equally often trained designs stands above each point and
    half below, so that bars overlap where designs can't be told apart.
    """
    spread = seed_spread(study, up.name)
    if spread is None:
        return ""
    x, y = place(front, across, up)
    trainings = front["repeats"].to_numpy(dtype=float)
    ax.errorbar(x, y, yerr=spread.margin(trainings, trainings) / 2 * up.quantity.scale, **_STYLE)
    return (
        f"Bars up: seeds move {up.quantity.label} by {spread.deviation:.2g} {up.quantity.unit}".rstrip()
        + f" (standard deviation, {plural(spread.designs, 'design')}); where two bars overlap, the designs"
        f" can't be told apart at {LEVEL:.0%}."
    )
