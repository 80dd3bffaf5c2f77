"""The picture of learning curves."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator
from seaborn import color_palette

from search_space.counting import plural

from ..absence import why_none
from ..design_table import designs, identity
from ..front import pareto_front
from .canvas import COLOURS, FADED, canvas, capital, plain_log, say
from .captions import about_proxies, opaque, study_footnote, title
from .labels import label_points

_LABELLED = 25  # curves, at most, that carry their trial number
_UNFINISHED = {  # an outcome: the colour of its curves, the mark at their end, what it is called
    "stopped": (COLOURS[1], "x", "stopped early"),
    "running": (COLOURS[2], ">", "running"),
}

Curves = Mapping[Hashable, np.ndarray]  # by row of the study: [points, (step, PSNR in dB)]


def plot_curves(study: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The learning curves: those of the front in the colour of their latency, the others faded.

    A front curve that still rises at its end says that its design has more to give than the study shows. A
    training that was stopped early ends with a cross, one that still runs with a triangle.

    Args:
        study: a table from ``load_study``.
        ax: where to draw; None for a new figure.
    """
    ax = canvas(ax)
    title(ax, "learning curves", study.attrs["name"])
    ax.set(xlabel="Training step", ylabel="PSNR on held-out clips (dB)   better →")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    known = study[[isinstance(curve, list) and len(curve) > 0 for curve in study["curve"]]]
    if known.empty:
        say(ax, capital(why_none(study, study.attrs["study"]["constraints"])))
        study_footnote(ax, study)
        return ax
    curves = {i: np.asarray(curve, dtype=float) for i, curve in known["curve"].items()}
    on_front = identity(known).isin(identity(pareto_front(study, provisional=True)))
    front = known[on_front & (known["outcome"] == "trained")]
    others = known.drop(index=front.index)
    _faded(
        ax, [curves[i] for i in others.index[~others["outcome"].isin(list(_UNFINISHED))]], FADED, len(known)
    )
    for outcome in _UNFINISHED:
        _unfinished(ax, curves, others.index[others["outcome"] == outcome], outcome, len(known))
    if len(front):
        _coloured(ax, curves, front)
    ax.autoscale_view()
    notes = [about_proxies(designs(study)), _limit(ax, curves, front.index)]
    if len(others):
        notes.append(f"Faded: {plural(len(others), 'training')} of designs not on the front.")
    if others["outcome"].isin(list(_UNFINISHED)).any():
        opaque(ax.legend(loc="lower right", frameon=True, framealpha=0.9))
    study_footnote(ax, study, notes)
    if 0 < len(front) <= _LABELLED:
        ends = np.array([curves[i][-1] for i in front.index])
        ax.margins(x=0.08)
        label_points(
            ax, ends[:, 0], ends[:, 1], [f"#{number}" for number in front["number"]], places=[(6, -3)]
        )
    return ax


def _faded(ax: Axes, curves: list[np.ndarray], colour: Any, of: int) -> None:
    """Curves in the background, the fainter the more there are in all."""
    alpha = max(0.03, min(0.5, 30 / of))
    ax.add_collection(LineCollection(curves, colors=[colour], linewidths=0.9, alpha=alpha, rasterized=True))


def _unfinished(ax: Axes, curves: Curves, rows: pd.Index, outcome: str, of: int) -> None:
    """Curves of one outcome, faded, with a mark at the end of each."""
    if not len(rows):
        return
    colour, marker, name = _UNFINISHED[outcome]
    _faded(ax, [curves[i] for i in rows], colour, of if outcome == "stopped" else len(rows))
    ends = np.array([curves[i][-1] for i in rows])
    ax.scatter(
        ends[:, 0],
        ends[:, 1],
        s=26,
        marker=marker,
        color=colour,
        lw=1.2,
        alpha=max(0.25, min(1.0, 60 / len(rows))),
        zorder=3,
        label=f"{name} ({len(rows):,})",
        rasterized=True,
    )


def _coloured(ax: Axes, curves: Curves, front: pd.DataFrame) -> None:
    """Curves of the front, with a bar that says which colour is which latency."""
    latencies = front["latency_ms"]
    norm = LogNorm(latencies.min() / 1.05, latencies.max() * 1.05)
    colours = ScalarMappable(norm, cmap=color_palette("crest", as_cmap=True))
    for i in front.index:
        ax.plot(*curves[i].T, color=colours.to_rgba(latencies[i]), lw=1.8, marker="o", ms=2.5)
    bar = ax.figure.colorbar(colours, ax=ax, pad=0.02)
    bar.set_label("Latency of the designs on the front (ms)")
    plain_log(bar.ax.yaxis, latencies.min(), latencies.max())


def _limit(ax: Axes, curves: Curves, front: pd.Index) -> str:
    """Keeps failures from flattening the rest; returns the note on those below the picture, empty if none."""
    high = ax.get_ylim()[1]
    lowest = np.array([curve[:, 1].min() for curve in curves.values()])
    worth_showing = min([np.quantile(lowest, 0.05), *(curves[i][:, 1].min() for i in front)])
    floor = worth_showing - 0.05 * (high - worth_showing)
    hidden = int((lowest < floor).sum())
    if not hidden:
        return ""
    ax.set_ylim(floor, high)
    return f"Not whole in the picture: {plural(hidden, 'curve')} from below it."
