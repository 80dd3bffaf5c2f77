"""The picture of what designs are made of and what that gives: parallel coordinates."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke
from seaborn import color_palette

from search_space.counting import plural

from ..absence import why_none
from ..built_choices import built_choices
from ..design_table import designs
from ..front import pareto_front
from ..quantities import Objective, objectives_of
from .canvas import FADED, INK, canvas, capital, say
from .captions import about_costs, about_proxies, study_footnote, title, with_unit

_ROW = 0.5  # inches
_MOST_LEVELS = 8  # of a numeric choice that are named one by one
_MOST_FADED = 1000  # more take seconds to draw and look the same
_SPREAD = 0.035  # of an axis, over which the designs of one level lie


def plot_parallel(
    study: pd.DataFrame, objectives: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """One line a design, from its choices above to its objectives below.

    Designs on the front are coloured by the first objective, the others faded. Choices of the whole decoder
    come first, then those of its stages, latent first; those that are the same in all designs are left out.
    Better is to the right on the rows of objectives. Within a level the lines are spread by a little, the
    better the farther right.

    Args:
        study: a table from ``load_study``.
        objectives: as for ``pareto_front``; any number.
        ax: where to draw; None for a new figure.
    """
    chosen = objectives_of(study, objectives)
    table = designs(study).dropna(subset=[objective.name for objective in chosen])
    choices = _in_order(built_choices(table), study.attrs["study"]["space"])
    rows = len(choices.columns) + len(chosen)
    ax = canvas(ax, height=2.2 + _ROW * rows)
    title(ax, f"choices and objectives of {plural(len(table), 'trained design')}", study.attrs["name"])
    ax.grid(False)
    if table.empty:
        say(ax, capital(why_none(study, study.attrs["study"]["constraints"])))
        study_footnote(ax, study)
        return ax
    first = chosen[0]
    order = _unit_interval(table, first)
    places, ticks, names = [], [], []
    for choice, column in choices.items():
        place, levels = _places(column)
        places.append(place + _SPREAD * (order - 0.5))
        ticks.append(levels)
        names.append(str(choice).replace("_", " "))
    for objective in chosen:
        places.append(_unit_interval(table, objective))
        ticks.append(_objective_ticks(table, objective))
        names.append(f"{with_unit(objective.quantity)}\nbetter →")
    lines = np.stack([np.array(places).T, np.broadcast_to(np.arange(rows), (len(table), rows))], axis=2)
    on_front = table.index.isin(pareto_front(study, objectives, provisional=True).index)
    _draw(ax, lines, on_front, table, first)
    for row, levels in enumerate(ticks):
        ax.axhline(row, color=INK, lw=0.6, zorder=1.5)
        for x, text in levels.items():
            label = ax.annotate(text, (x, row), (0, -3), textcoords="offset points", ha="center", va="top")
            label.set(size="x-small", zorder=5, linespacing=0.9)
            label.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    ax.set_yticks(range(rows), names)
    ax.set_xticks([])
    ax.set(xlim=(-0.07, 1.07), ylim=(rows - 0.4, -0.4))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    notes = [about_costs(study), about_proxies(table)]
    others = int((~on_front).sum())
    if others:
        drawn = f"{_MOST_FADED:,} of the " if others > _MOST_FADED else ""
        notes.append(f"Faded: {drawn}{plural(others, 'design')} not on the front.")
    study_footnote(ax, study, notes)
    return ax


def _in_order(choices: pd.DataFrame, space: Mapping[str, Any]) -> pd.DataFrame:
    """Choices of the whole decoder first, then those of its stages, latent first."""
    stages = [name for name, value in space.items() if isinstance(value, Mapping)]
    names = sorted(map(str, choices), key=lambda name: (name.partition("_")[0] in stages, name))
    return choices[names]


def _draw(ax: Axes, lines: np.ndarray, on_front: np.ndarray, table: pd.DataFrame, first: Objective) -> None:
    faint = lines[~on_front]
    if len(faint) > _MOST_FADED:
        faint = np.random.default_rng(0).choice(faint, _MOST_FADED, replace=False)
    alpha = max(0.04, min(0.5, 30 / len(lines)))
    faded = LineCollection(list(faint), colors=FADED, lw=0.8, alpha=alpha, rasterized=True)
    ax.add_collection(faded)
    values = table[first.name].to_numpy(dtype=float) * first.quantity.scale
    if not on_front.any():
        return
    norm = Normalize(values[on_front].min() - 1e-6, values[on_front].max() + 1e-6)
    colours = ScalarMappable(norm, cmap=color_palette("crest", as_cmap=True))
    ax.add_collection(
        LineCollection(lines[on_front], colors=colours.to_rgba(values[on_front]), lw=1.6, zorder=2)
    )
    bar = ax.figure.colorbar(colours, ax=ax, pad=0.02, aspect=30, shrink=0.6 if lines.shape[1] > 8 else 1.0)
    bar.set_label(f"{with_unit(first.quantity)} of the designs on the front")


def _unit_interval(table: pd.DataFrame, objective: Objective) -> np.ndarray:
    """[designs], from 0 for the worst value to 1 for the best; a half where all are the same."""
    values = table[objective.name].to_numpy(dtype=float)
    if objective.quantity.log:
        values = np.log10(values)
    if np.ptp(values) == 0:
        return np.full(len(values), 0.5)
    place = (values - values.min()) / np.ptp(values)
    return place if objective.direction == "maximize" else 1 - place


def _objective_ticks(table: pd.DataFrame, objective: Objective) -> dict[float, str]:
    """The worst and the best value, by their places."""
    values = table[objective.name].to_numpy(dtype=float)
    places = _unit_interval(table, objective)
    ends = (places.argmin(), places.argmax())
    return {float(places[i]): f"{values[i] * objective.quantity.scale:,.4g}" for i in ends}


def _places(column: pd.Series) -> tuple[np.ndarray, dict[float, str]]:
    """Where each design stands on the row of a choice, [designs], and the names of its levels by place."""
    levels = sorted(column.unique(), key=lambda level: (isinstance(level, str), level))
    if len(levels) > _MOST_LEVELS and not any(isinstance(level, str) for level in levels):
        low, high = float(levels[0]), float(levels[-1])
        return (column.to_numpy(dtype=float) - low) / (high - low), {0.0: f"{low:g}", 1.0: f"{high:g}"}
    place = {level: i / max(1, len(levels) - 1) for i, level in enumerate(levels)}
    names = {place[level]: textwrap.fill(str(level).replace("_", " "), 14) for level in levels}
    return column.map(place).to_numpy(dtype=float), names
