"""The picture of several studies: their fronts together."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..design_table import designs
from ..front import pareto_front
from ..study_comparison import compare_studies
from .canvas import COLOURS, canvas, capital, place, say, scale, shortened
from .captions import footnote, label_axes, legend_beside
from .front import pair
from .landmarks import mark_frame_rates

_MARKERS = "oDsP^vX*"


def plot_studies(
    studies: Mapping[str, pd.DataFrame], objectives: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """The fronts of several studies in one picture, each with its hypervolume from one common reference.

    All fronts are the searches' own (provisional). Why figures of the studies don't compare stands below.

    Args:
        studies: tables from ``load_study``, by what to call them. Of more than eight, the first eight are
            drawn.
        objectives: as for ``plot_front``; None for those of the first study.
        ax: where to draw; None for a new figure.
    """
    studies = dict(list(studies.items())[: len(_MARKERS)])
    across, up = pair(next(iter(studies.values())), objectives)
    names = [str(up), str(across)]
    ax = canvas(ax)
    ax.set_title(f"Fronts of {len(studies)} {'study' if len(studies) == 1 else 'studies'}", loc="left")
    label_axes(ax, across, up)
    known = {name: designs(study).dropna(subset=[across.name, up.name]) for name, study in studies.items()}
    known = {name: table for name, table in known.items() if len(table)}
    if not known:
        say(ax, "No study has a trained design")
        return ax
    compared = compare_studies(studies, names)
    everything = pd.concat([table[[across.name, up.name]] for table in known.values()])
    for i, (name, table) in enumerate(known.items()):
        faint = max(0.08, min(0.35, 60 / len(everything)))
        dots: dict[str, Any] = {"s": 12, "lw": 0, "alpha": faint, "rasterized": True}
        ax.scatter(*place(table, across, up), color=COLOURS[i], marker=_MARKERS[i], zorder=1, **dots)
        front = pareto_front(studies[name], names, provisional=True).sort_values(across.name, kind="stable")
        x, y = place(front, across, up)
        steps = "steps-post" if across.direction == "minimize" else "steps-pre"
        ax.plot(x, y, drawstyle=steps, color=COLOURS[i], lw=1.3, zorder=2)
        volume = compared["hypervolume"].to_dict()[name]
        label = f"{shortened(name, 30)}\n{plural(len(table), 'design')}, hypervolume {volume:.3g}"
        style: dict[str, Any] = {"s": 42, "marker": _MARKERS[i], "edgecolor": "white", "lw": 0.8}
        ax.scatter(x, y, color=COLOURS[i], zorder=3, label=label, **style)
    for which, objective in (("x", across), ("y", up)):
        scale(ax, which, objective.quantity, everything[objective.name].to_numpy() * objective.quantity.scale)
    frames = {study.attrs["study"]["frames"] for study in studies.values()}
    if len(frames) == 1:
        mark_frame_rates(ax, across, frames.pop())
    legend_beside(ax)
    warning = " ".join(f"{shortened(capital(sentence), 200)}." for sentence in compared.attrs["incomparable"])
    footnote(ax, ["Small: all designs that were trained."], warning)
    return ax
