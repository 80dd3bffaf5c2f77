"""The picture of where the milliseconds, parameters and bytes of designs go."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..design_comparison import stage_order
from ..quantities import QUANTITIES, Quantity
from .canvas import COLOURS, canvas, capital, shortened
from .captions import footnote, legend_beside, with_unit

_DESIGNS = 6  # at most, that stay apart in one picture
_HATCHES = ("", "///", "...", "xxx", "---", "ooo")


def plot_stages(stages: pd.DataFrame, cost: str = "latency_ms", ax: Axes | None = None) -> Axes:
    """One bar a stage and design, from the latent above to the pixels below.

    Args:
        stages: one row a stage of each design: ``design`` (its name), ``stage``, and the cost. Of more than
            six designs, the first six are drawn.
        cost: the column: ``latency_ms``, ``params``, ``flops``, ``bytes`` (moved) or another amount.
        ax: where to draw; None for a new figure.
    """
    quantity = QUANTITIES.get(cost, Quantity(cost, "", "minimize"))
    names = list(stages["design"].unique()[:_DESIGNS])
    wide = stages.pivot(index="stage", columns="design", values=cost) * quantity.scale
    wide = wide.loc[stage_order(stages), names].fillna(0.0)
    thickness = 0.8 / max(1, len(names))
    ax = canvas(ax, height=1.6 + max(0.42, 0.2 * len(names)) * len(wide))
    totals = wide.sum()
    middles = np.arange(len(wide))
    for i, name in enumerate(names):
        places = middles + (i - (len(names) - 1) / 2) * thickness
        whole = f"{totals[name]:,.4g} {quantity.unit}".rstrip()
        label = f"{textwrap.fill(shortened(str(name), 50), 30)}\n{whole}"
        style = {"color": COLOURS[i], "hatch": _HATCHES[i], "edgecolor": "white", "linewidth": 0.5}
        bars = ax.barh(places, wide[name], thickness, label=label, **style)
        shares = [f"{share:.0%}" for share in wide[name] / (totals[name] or 1.0)]
        ax.bar_label(bars, shares, padding=2, size="x-small")
    ax.set_yticks(middles, [str(stage).replace("_", " ") for stage in wide.index])
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.margins(x=0.12)
    ax.set_xlim(left=0)
    ax.set_title(f"{capital(quantity.label)} by stage, latent first", loc="left")
    ax.set_xlabel(f"← better   {with_unit(quantity)}")
    legend_beside(ax)
    hidden = stages["design"].nunique() - len(names)
    notes = ["Estimates. Percentages are shares of a design's whole."]
    if hidden:
        notes.append(f"{plural(hidden, 'design')} more not shown.")
    footnote(ax, notes)
    return ax
