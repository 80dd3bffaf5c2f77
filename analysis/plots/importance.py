"""The picture of which choices matter."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..quantities import QUANTITIES
from .canvas import COLOURS, INK, canvas, say, shortened
from .captions import legend_beside, study_footnote, title

_MOST = 15  # choices, at most, that have a bar
_HATCHES = ("", "///", "...", "xxx")


def plot_importances(importances: pd.DataFrame, study: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How much each choice explains of each objective, and how much of that chance alone would.

    Args:
        importances: from ``importances(study)``; the 15 most important choices are drawn.
        study: the table that it was made of.
        ax: where to draw; None for a new figure.
    """
    objectives = list(dict.fromkeys(importances["objective"]))
    order = importances.groupby("choice", sort=False)["importance"].max().sort_values(ascending=False)
    shown = list(order.index[:_MOST])
    ax = canvas(ax, height=2.2 + 0.16 * max(2, len(objectives)) * max(8, len(shown)))
    title(ax, "which choices matter", study.attrs["name"])
    if importances.empty:
        say(ax, "Too few trained designs, or all alike: nothing can be said of what matters")
        study_footnote(ax, study)
        return ax
    thickness = 0.8 / len(objectives)
    rows = np.arange(len(shown))
    for i, objective in enumerate(objectives):
        of = importances[importances["objective"] == objective].set_index("choice").reindex(shown)
        places = rows + (i - (len(objectives) - 1) / 2) * thickness
        label = QUANTITIES[objective].label if objective in QUANTITIES else objective
        style = {"color": COLOURS[i], "hatch": _HATCHES[i % 4], "edgecolor": "white", "linewidth": 0.5}
        ax.barh(places, of["importance"] * 100, thickness, label=label, **style)
        chance = ax.scatter(of["chance"] * 100, places, marker="|", s=60, color=INK, lw=1.6, zorder=3)
    chance.set_label("what chance alone reaches")
    ax.set_yticks(rows, [shortened(str(choice).replace("_", " "), 30) for choice in shown])
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set_xlim(left=0)
    ax.set_xlabel("Share of the objective's variation that the choice explains (%)")
    legend_beside(ax)
    hidden = len(order) - len(shown)
    notes = ["A bar that doesn't reach beyond its tick may be chance (95 %)."]
    if hidden:
        notes.append(f"{plural(hidden, 'choice')} of less importance not shown.")
    study_footnote(ax, study, notes)
    return ax
