"""The picture of a front, before the designs that it beats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..absence import why_none
from ..design_table import designs, finalists
from ..front import knee, meeting, pareto_front
from ..quantities import Objective, objectives_of
from .bars import latency_bars, latency_interval, seed_bars
from .canvas import COLOURS, FADED, canvas, capital, place, say, scale
from .captions import about_costs, about_proxies, label_axes, legend_beside, study_footnote, title
from .labels import label_points
from .landmarks import mark_costs_alone, mark_frame_rates, mark_named, mark_teacher, teacher_psnr

_FRONT, _SEARCHED = COLOURS[0], COLOURS[9]
_LABELLED = 25  # front designs, at most, that carry their trial number


def plot_front(
    study: pd.DataFrame,
    objectives: Sequence[str] | None = None,
    ax: Axes | None = None,
    published: pd.DataFrame | None = None,
) -> Axes:
    """The front, before the designs that it beats.

    Drawn: the front with trial numbers and its knee, hollow while it is provisional and filled where it is of
    confirmed designs (then the search's own front is behind it); designs that it beats, or that miss a
    constraint, faded; designs with a name (published ones, TAEHV, Flash-VAED) as marks of their own; lines at
    24, 30 and 60 frames a second and at the teacher's own PSNR; bars for the interval of an estimated latency
    and for what seeds alone can change. Trials that were stopped, refused or failed have no quality to show.

    Args:
        study: a table from ``load_study``.
        objectives: two, across and up, as for ``pareto_front``. None for the first two that the search was
            run with, quality up.
        ax: where to draw; None for a new figure.
        published: designs whose costs alone are known, by ``name``; drawn where the objective across is one
            of the columns.
    """
    across, up = pair(study, objectives)
    if published is not None and across.name not in published:
        published = None
    ax = canvas(ax)
    table = designs(study).dropna(subset=[across.name, up.name])
    names = f"{up.quantity.label} and {across.quantity.label}"
    title(ax, f"{names} of {plural(len(table), 'trained design')}", study.attrs["name"])
    constraints = study.attrs["study"]["constraints"]
    notes = [about_costs(study), about_proxies(table)]
    label_axes(ax, across, up)
    if table.empty:
        say(ax, capital(why_none(study, constraints)))
        study_footnote(ax, study, notes)
        return ax

    front = pareto_front(study, [str(across), str(up)]).sort_values(across.name, kind="stable")
    searched = pareto_front(study, [str(across), str(up)], provisional=True)
    final = finalists(study).dropna(subset=[across.name, up.name])
    confirmed = bool(final.attrs["confirmed"])
    named = table[table["name"].notna()].drop_duplicates("name")
    rest = table.drop(index=searched.index.union(named.index))
    is_feasible = rest.index.isin(meeting(rest, constraints).index)
    _faded(ax, rest[is_feasible], across, up, len(table), "dominated")
    _faded(ax, rest[~is_feasible], across, up, len(table), "misses a constraint", marker="x")
    if confirmed:
        _confirmed(ax, table, searched, final, front, across, up)
        steps, runs = final["confirmed.steps"].max(), final["confirmed.runs"].max()
        notes.append(
            f"Filled: confirmed by {plural(runs, 'training')} of {plural(steps, 'step')}. All other marks are"
            " of the search's own, shorter trainings, whose quality doesn't compare with that."
        )
    if len(front):
        _line(ax, front, across, up, confirmed)
        notes += [latency_bars(ax, front, across, up), seed_bars(ax, front, study, across, up)]
    if len(front) >= 3:
        best = knee(front, [str(across), str(up)]).to_frame().T
        ring = {"s": 150, "facecolors": "none", "edgecolors": _FRONT, "linewidths": 1.2}
        label = f"knee of the front (#{best['number'].item()})"
        ax.scatter(*place(best, across, up), zorder=3, label=label, **ring)
    mark_named(ax, named, across, up)
    if not len(front):
        say(ax, capital(why_none(study, constraints)))

    hidden = _limits(ax, table, final, front, published, across, up)
    ceiling = teacher_psnr(study, up)
    if hidden:
        notes.append(f"{plural(hidden, 'design')} of poorer {up.quantity.label} below the picture.")
    if ceiling is not None:
        notes.append(mark_teacher(ax, ceiling))
    if published is not None:
        mark_costs_alone(ax, published[~published["name"].isin(named["name"])], across)
    mark_frame_rates(ax, across, study.attrs["study"]["frames"])
    legend_beside(ax)
    study_footnote(ax, study, notes)
    if len(front) <= _LABELLED:
        shown = front[~front.index.isin(named.index)]
        numbers = [f"#{number}" for number in shown["number"]]
        drawn = np.stack(place(pd.concat([table, final]), across, up), axis=1)
        label_points(ax, *place(shown, across, up), numbers, avoid=drawn)
    return ax


def pair(study: pd.DataFrame, objectives: Sequence[str] | None) -> tuple[Objective, Objective]:
    """The objective across and the one up: quality goes up. A lone objective is joined by latency or PSNR."""
    chosen = [*objectives_of(study, objectives), *objectives_of(study, ["latency_ms", "psnr"])]
    first = chosen[0]
    second = next(objective for objective in chosen if objective.name != first.name)
    return (second, first) if first.direction == "maximize" else (first, second)


def _faded(
    ax: Axes, rows: pd.DataFrame, across: Objective, up: Objective, of: int, label: str, marker: str = "o"
) -> None:
    """Designs in the background, the fainter the more designs there are in all."""
    if len(rows):
        style: dict[str, Any] = {"s": 22, "alpha": max(0.15, min(0.6, 60 / of)), "rasterized": True}
        style |= {"marker": marker, "linewidths": 1 if marker == "x" else 0}
        ax.scatter(*place(rows, across, up), color=FADED, label=f"{label} ({len(rows):,})", zorder=1, **style)


def _line(ax: Axes, front: pd.DataFrame, across: Objective, up: Objective, confirmed: bool) -> None:
    """The front: its steps, and its designs, filled where they are confirmed."""
    x, y = place(front, across, up)
    steps = "steps-post" if across.direction == "minimize" else "steps-pre"
    ax.plot(x, y, drawstyle=steps, color=_FRONT, lw=1.2)
    face, edge = (_FRONT, "white") if confirmed else ("white", _FRONT)
    label = f"front, {'confirmed' if confirmed else 'provisional'} ({len(front):,})"
    ax.scatter(x, y, s=46, color=face, edgecolor=edge, lw=0.8 if confirmed else 1.6, zorder=3, label=label)


def _confirmed(
    ax: Axes,
    table: pd.DataFrame,
    searched: pd.DataFrame,
    final: pd.DataFrame,
    front: pd.DataFrame,
    across: Objective,
    up: Objective,
) -> None:
    """What confirmation changed: the search's front, and how far each confirmed design moved from it."""
    x, y = place(searched, across, up)
    label = f"front of the search ({len(searched):,})"
    ax.scatter(x, y, s=34, color="white", edgecolor=_SEARCHED, lw=1.4, zorder=2, label=label)
    before = place(table.loc[final.index.intersection(table.index)], across, up)
    after = place(final.loc[final.index.intersection(table.index)], across, up)
    ax.plot([before[0], after[0]], [before[1], after[1]], color=_SEARCHED, lw=0.8, ls=":", zorder=1)
    beaten = final.drop(index=front.index)
    if len(beaten):
        label = f"confirmed, but beaten ({len(beaten):,})"
        ax.scatter(*place(beaten, across, up), s=34, color=_SEARCHED, lw=0, zorder=2, label=label)


def _limits(
    ax: Axes,
    table: pd.DataFrame,
    final: pd.DataFrame,
    front: pd.DataFrame,
    published: pd.DataFrame | None,
    across: Objective,
    up: Objective,
) -> int:
    """Sets the limits of both axes, and returns how many designs are too poor to be within them."""
    costs = [table[across.name], *latency_interval(front, across)]
    if published is not None:
        costs.append(published[across.name])
    scale(ax, "x", across.quantity, pd.concat(costs).dropna().to_numpy(dtype=float) * across.quantity.scale)
    worth_showing = _worth_showing(table, front, up)
    quality = table.loc[worth_showing, up.name]
    if final.attrs["confirmed"]:
        quality = pd.concat([quality, final[up.name]])
    scale(ax, "y", up.quantity, quality.to_numpy() * up.quantity.scale)
    return int((~worth_showing).sum())


def _worth_showing(table: pd.DataFrame, front: pd.DataFrame, up: Objective) -> pd.Series:
    """Which designs set the lower limit: not the failures so poor that they would flatten the front."""
    if up.direction == "minimize" or up.quantity.log or front.empty:
        return pd.Series(True, index=table.index)
    quality = table[up.name]
    kept = quality[table["name"].notna() | table.index.isin(front.index)]
    span = max(kept.max() - kept.min(), quality.quantile(0.9) - quality.quantile(0.1))
    return quality >= kept.min() - 1.5 * span
