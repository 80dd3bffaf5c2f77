"""The picture of what each choice gives or takes at equal cost."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..quantities import QUANTITIES, Quantity
from .canvas import COLOURS, FADED, INK, canvas, capital, say, shortened
from .captions import study_footnote, title

_MOST = 45  # levels, at most, that have a row


def plot_effects(
    effects: pd.DataFrame,
    study: pd.DataFrame,
    metric: str = "psnr",
    cost: str = "latency_ms",
    ax: Axes | None = None,
) -> Axes:
    """The effect of each level of each choice with its interval, those that are clearly not nothing filled.

    Args:
        effects: from ``choice_effects(study, metric, cost)``. Of many choices, those with the largest effects
            are drawn, up to 45 levels.
        study: the table that it was made of.
        metric: the column that is compared.
        cost: the column that is held equal.
        ax: where to draw; None for a new figure.
    """
    compared = QUANTITIES.get(metric, Quantity(metric, "", "maximize"))
    equal = QUANTITIES.get(cost, Quantity(cost, "", "minimize"))
    shown = _largest(effects)
    choices = list(dict.fromkeys(shown["choice"]))
    ax = canvas(ax, height=2.0 + 0.2 * max(16, len(shown) + len(choices)))
    title(ax, f"what choices give at equal {equal.label}", study.attrs["name"])
    unit = f" ({compared.unit})" if compared.unit else ""
    better = "   better →" if compared.direction == "maximize" else ""
    worse = "" if better else "← better   "
    ax.set_xlabel(f"{worse}{capital(compared.label)} above the mean at equal {equal.label}{unit}{better}")
    if shown.empty:
        say(ax, "Too few trained designs: nothing can be said of what choices give")
        study_footnote(ax, study)
        return ax
    ax.axvline(0, color=INK, lw=0.9, zorder=1)
    # An empty row stands between choices.
    rows = np.arange(len(shown)) + np.array([choices.index(choice) for choice in shown["choice"]])
    effect = shown["effect"].to_numpy(dtype=float) * compared.scale
    low, high = (shown[name].to_numpy(dtype=float) * compared.scale for name in ("low", "high"))
    clear = (low > 0) | (high < 0)
    for of, colour, face in ((clear, COLOURS[0], COLOURS[0]), (~clear, FADED, "white")):
        reach = np.nan_to_num([effect[of] - low[of], high[of] - effect[of]])
        ax.errorbar(effect[of], rows[of], xerr=reach, fmt="none", ecolor=colour, elinewidth=1.4, zorder=2)
        ax.scatter(effect[of], rows[of], s=34, color=face, edgecolor=colour, lw=1.4, zorder=3)
    last = None
    names = []
    for row in shown.to_dict("records"):
        level = f"{shortened(str(row['level']), 25)} ({row['designs']})"
        choice = "" if row["choice"] == last else f"{shortened(str(row['choice']), 25)}:  "
        names.append(f"{choice}{level}".replace("_", " "))
        last = row["choice"]
    ax.set_yticks(rows, names, size="small")
    ax.set_ylim(rows[-1] + 0.8, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    hidden = effects["choice"].nunique() - len(choices)
    notes = [
        "In brackets: how many designs have it. Filled where the 95 % interval leaves out 0; of twenty levels"
        " that do nothing, one seems to do something."
    ]
    if hidden:
        notes.append(f"{plural(hidden, 'choice')} of smaller effects not shown.")
    study_footnote(ax, study, notes)
    return ax


def _largest(effects: pd.DataFrame) -> pd.DataFrame:
    """The levels of the choices with the largest effects, as many as there is room for, in their order."""
    size = effects["effect"].astype(float).abs().groupby(effects["choice"]).max()
    size = size.sort_values(ascending=False)
    levels = effects["choice"].value_counts().reindex(size.index)
    room = max(1, int((levels.cumsum() <= _MOST).sum()))
    return effects[effects["choice"].isin(size.index[:room])]
