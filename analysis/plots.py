"""Pictures of a study: its front, its hypervolume, its learning curves.

Each is a function from the table of ``load_study`` to matplotlib ``Axes``. Colours are seaborn's "colorblind"
palette, and marks differ in shape too. Below every picture stands what its figures rest on.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from .canvas import COLOURS, FADED, INK, canvas, capital, plain_log, plural, say, scale, shortened
from .front import hypervolume_over_trials, knee, meeting, pareto_front, reference_point, trained
from .labels import label_points
from .quantities import Objective, Quantity, objectives_of

_FRONT, _WARNING = COLOURS[0], COLOURS[3]
_MARKERS = "DsP^vX*<"
_ISO_FPS = (24, 30, 60)
_NAMED = 8  # named designs, at most, that have a mark of their own
_LABELLED = 15  # front designs, at most, that carry their trial number


def plot_front(study: pd.DataFrame, objectives: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """The front, before the designs that it beats.

    Drawn: the front with trial numbers and its knee; trained designs that it beats, or that miss a
    constraint, faded; designs with a name (published ones, TAEHV, Flash-VAED) as marks of their own; lines at
    24, 30 and 60 frames a second, and at the teacher's own PSNR where that is near.

    Args:
        study: a table from ``load_study``.
        objectives: two, across and up, as for ``pareto_front``. None for the first two that the search was
            run with, quality up.
        ax: where to draw; None for a new figure.
    """
    across, up = _pair(study, objectives)
    ax = canvas(ax)
    designs = trained(study).dropna(subset=[across.name, up.name])
    title = f"{up.quantity.label} and {across.quantity.label} of {plural(len(designs), 'trained design')}"
    _title(ax, title, study)
    notes = [_about_costs(study), _about_proxies(designs)]
    if designs.empty:
        say(ax, _why_nothing(study))
        _label(ax, across, up)
        _footnote(ax, study, notes)
        return ax

    front = pareto_front(study, [str(across), str(up)])
    front = front.sort_values(across.name, kind="stable")
    feasible = meeting(designs, study.attrs["study"]["constraints"])
    named = designs[designs["name"].notna()].drop_duplicates("name").head(_NAMED)
    rest = designs.drop(index=front.index.union(named.index))

    def at(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return (
            rows[across.name].to_numpy() * across.quantity.scale,
            rows[up.name].to_numpy() * up.quantity.scale,
        )

    faded: dict[str, Any] = {
        "s": 22,
        "alpha": max(0.15, min(0.6, 60 / len(designs))),
        "linewidths": 0,
        "rasterized": True,
    }
    beaten = rest[rest.index.isin(feasible.index)]
    missing = rest[~rest.index.isin(feasible.index)]
    if len(beaten):
        ax.scatter(*at(beaten), color=FADED, label=f"dominated ({len(beaten):,})", zorder=1, **faded)
    if len(missing):
        faded |= {"linewidths": 1, "marker": "x"}
        ax.scatter(
            *at(missing), color=FADED, label=f"misses a constraint ({len(missing):,})", zorder=1, **faded
        )
    if len(front):
        x, y = at(front)
        ax.plot(
            x,
            y,
            drawstyle="steps-post" if across.direction == "minimize" else "steps-pre",
            color=_FRONT,
            lw=1.2,
        )
        ax.scatter(
            x, y, s=46, color=_FRONT, edgecolor="white", lw=0.8, zorder=3, label=f"front ({len(front):,})"
        )
    if len(front) >= 3:
        best = knee(front, [str(across), str(up)])
        ring = {"s": 150, "facecolors": "none", "edgecolors": _FRONT, "linewidths": 1.2}
        ax.scatter(*at(best.to_frame().T), zorder=3, label=f"knee of the front (#{best['number']})", **ring)
    for i, (_, design) in enumerate(named.iterrows()):
        label = textwrap.fill(f"{shortened(design['name'], 50)} (#{design['number']})", 30)
        mark = {"marker": _MARKERS[i], "color": COLOURS[(1, 2, 4, 5, 8)[i % 5]]}
        ax.scatter(*at(design.to_frame().T), s=80, edgecolor="black", lw=0.8, zorder=4, label=label, **mark)
    if not len(front):
        say(ax, "No trained design meets " + " and ".join(study.attrs["study"]["constraints"]))

    scale(ax, "x", across.quantity, at(designs)[0])
    worth_showing = _worth_showing(designs, front, up)
    scale(ax, "y", up.quantity, at(designs[worth_showing])[1])
    below = int((~worth_showing).sum())
    if below:
        notes.append(f"{plural(below, 'design')} of poorer {up.quantity.label} below the picture.")
    _label(ax, across, up)
    ceiling = study.attrs["study"].get("teacher_psnr")
    if ceiling is not None and up.name == "psnr":
        notes.append(f"The teacher itself reaches {ceiling:.2f} dB on the same clips.")
        if ax.get_ylim()[0] < ceiling < ax.get_ylim()[1]:
            ax.axhline(ceiling, color=INK, lw=1.2, ls=":", zorder=0, label="teacher itself")
    _iso_fps(ax, across, designs)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, borderaxespad=0, labelspacing=0.7)
    _footnote(ax, study, notes)
    if len(front) <= _LABELLED:
        shown = front[~front.index.isin(named.index)]
        label_points(
            ax, *at(shown), [f"#{number}" for number in shown["number"]], avoid=np.stack(at(designs), axis=1)
        )
    return ax


def plot_hypervolume(
    study: pd.DataFrame, objectives: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """The hypervolume after each finished training: where it no longer rises, more training finds little.

    Args: as for ``hypervolume_over_trials``; ``ax`` is where to draw, None for a new figure.
    """
    ax = canvas(ax)
    _title(ax, "hypervolume of the front so far", study)
    chosen = objectives_of(study, objectives)
    volumes = hypervolume_over_trials(study, objectives)
    units = [
        f"decades of {o.quantity.label}" if o.quantity.log else o.quantity.unit or o.quantity.label
        for o in chosen
    ]
    ax.set(xlabel="Finished trainings", ylabel=f"Hypervolume ({' x '.join(units)})  better →")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    notes = []
    if volumes.empty:
        say(ax, _why_nothing(study))
    else:
        finished = np.arange(1, len(volumes) + 1)
        ax.plot(finished, volumes, drawstyle="steps-post", color=_FRONT, lw=1.8)
        ax.plot(finished[-1:], volumes.iloc[-1:], "o", color=_FRONT)
        ax.annotate(
            f"{volumes.iloc[-1]:.3g}",
            (finished[-1], volumes.iloc[-1]),
            (0, 8),
            textcoords="offset points",
            ha="right",
        )
        ax.set_ylim(0, volumes.iloc[-1] * 1.12 or 1.0)
        ax.set_xlim(1 - 0.03 * len(volumes), 1.03 * len(volumes))
        origin = reference_point(study, objectives)
        corner = " and ".join(_amount(o.quantity, origin[o.name]) for o in chosen)
        notes.append(f"Measured from the worst of the trained designs in each objective: {corner}.")
    _footnote(ax, study, notes)
    return ax


def plot_curves(study: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The learning curves: those of the front in the colour of their latency, the others faded.

    A front curve that still rises at its end says that its design has more to give than the study shows.

    Args:
        study: a table from ``load_study``.
        ax: where to draw; None for a new figure.
    """
    ax = canvas(ax)
    _title(ax, "learning curves", study)
    ax.set(xlabel="Training step", ylabel="PSNR on held-out clips (dB)  better →")
    curves = {
        i: np.asarray(curve, dtype=float)
        for i, curve in study["curve"].items()
        if isinstance(curve, list) and curve
    }
    if not curves:
        say(ax, _why_nothing(study))
        _footnote(ax, study)
        return ax
    front = [i for i in pareto_front(study).index if i in curves]
    faded = [curve for i, curve in curves.items() if i not in front]
    alpha = max(0.02, min(0.5, 30 / max(1, len(faded))))
    ax.add_collection(LineCollection(faded, colors=FADED, linewidths=0.9, alpha=alpha, rasterized=True))
    if front:
        latencies = study.loc[front, "latency_ms"]
        norm = LogNorm(latencies.min() / 1.05, latencies.max() * 1.05)
        colours = ScalarMappable(norm, cmap=sns.color_palette("crest", as_cmap=True))
        for i in front:
            ax.plot(*curves[i].T, color=colours.to_rgba(latencies[i]), lw=1.8, marker="o", ms=2.5)
        bar = ax.figure.colorbar(colours, ax=ax, pad=0.02)
        bar.set_label("Latency of the designs on the front (ms)")
        plain_log(bar.ax.yaxis, latencies.min(), latencies.max())
    ax.autoscale_view()
    others = f"Faded: {plural(len(faded), 'design')} not on the front." if faded else ""
    _footnote(ax, study, [_about_proxies(trained(study)), others])
    if front:
        at = np.array([curves[i][-1] for i in front])
        shown = [f"#{study.loc[i, 'number']}" for i in front]
        ax.margins(x=0.08)
        label_points(ax, at[:, 0], at[:, 1], shown, places=[(6, -3)])
    return ax


def _pair(study: pd.DataFrame, objectives: Sequence[str] | None) -> tuple[Objective, Objective]:
    """The objective across and the one up: quality goes up. A lone objective is joined by latency or PSNR."""
    chosen = [*objectives_of(study, objectives), *objectives_of(study, ["latency_ms", "psnr"])]
    first = chosen[0]
    second = next(objective for objective in chosen if objective.name != first.name)
    return (second, first) if first.direction == "maximize" else (first, second)


def _title(ax: Axes, text: str, study: pd.DataFrame) -> None:
    ax.set_title(f"{capital(text)} ({shortened(study.attrs['name'], 40)})", loc="left")


def _label(ax: Axes, across: Objective, up: Objective) -> None:
    for objective, set_label in ((across, ax.set_xlabel), (up, ax.set_ylabel)):
        quantity = objective.quantity
        name = capital(f"{quantity.label} ({quantity.unit})" if quantity.unit else quantity.label)
        set_label(f"← better   {name}" if objective.direction == "minimize" else f"{name}   better →")


def _worth_showing(designs: pd.DataFrame, front: pd.DataFrame, up: Objective) -> pd.Series:
    """Which designs set the lower limit: not the failures so poor that they would flatten the front."""
    if up.direction == "minimize" or up.quantity.log or front.empty:
        return pd.Series(True, index=designs.index)
    quality = designs[up.name]
    kept = quality[designs["name"].notna() | designs.index.isin(front.index)]
    span = max(kept.max() - kept.min(), quality.quantile(0.9) - quality.quantile(0.1))
    return quality >= kept.min() - 1.5 * span


def _iso_fps(ax: Axes, across: Objective, designs: pd.DataFrame) -> None:
    """Lines at the frame rates of film, video and games, named on an upper axis."""
    if across.name in ("fps", "fps_low"):
        places = {fps: float(fps) for fps in _ISO_FPS}
    elif across.name in ("latency_ms", "latency_high_ms"):
        # Every design of a study decodes the same clip, so frames a second times latency is one number.
        frames = float((designs["fps"] * designs["latency_ms"]).median())
        places = {fps: frames / fps for fps in _ISO_FPS}
    else:
        return
    low, high = ax.get_xlim()
    places = {fps: place for fps, place in places.items() if low < place < high}
    if not places:
        return
    for place in places.values():
        ax.axvline(place, color=INK, lw=0.9, ls=(0, (4, 3)), zorder=0)
    upper = ax.secondary_xaxis("top")
    leftmost = min(places, key=lambda fps: places[fps])
    names = [f"frames/s:  {fps}" if fps == leftmost else str(fps) for fps in places]
    upper.set_xticks(list(places.values()), names)
    upper.get_xticklabels()[list(places).index(leftmost)].set_horizontalalignment("right")
    upper.set_xticks([], minor=True)
    upper.tick_params(length=0, labelsize="small", colors=INK)
    upper.spines["top"].set_visible(False)


def _footnote(ax: Axes, study: pd.DataFrame, notes: Sequence[str] = ()) -> None:
    """What the picture rests on, below it: first the weights of the teacher, loudly if a stand-in."""
    record = study.attrs["study"]
    stand_in = record["weights"]["kind"] == "stand-in"
    weights = f"{record['teacher']}, {record['weights']['description']}."
    loud = textwrap.fill(
        f"Stand-in teacher, not the real one: {weights}" if stand_in else f"Teacher: {weights}", 105
    )
    others = "\n".join(textwrap.fill(note, 105) for note in notes if note)
    style: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
        "size": "small",
    }
    ax.annotate(loud, (0, 0), (0, -46), color=_WARNING if stand_in else INK, **style)
    ax.annotate("\n" * (1 + loud.count("\n")) + others, (0, 0), (0, -46), color=INK, **style)


def _why_nothing(study: pd.DataFrame) -> str:
    outcomes = study["outcome"].value_counts()
    if outcomes.empty:
        return "No trial yet"
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items() if outcome != "trained")
    reasons = study["reason"].dropna()
    last = f"; the last because: {reasons.iloc[-1]}" if len(reasons) else ""
    return f"No trained design to show: {counts}{last}"


def _about_costs(study: pd.DataFrame) -> str:
    record = study.attrs["study"]
    height, width = record["resolution"]
    how = {
        (): "",
        ("trace",): ", from the operators of each design",
        ("coreml",): ", from the converted Core ML programs",
        ("coreml", "trace"): ", from the Core ML programs of the front and from the operators of the others",
    }[tuple(sorted(trained(study)["source"].dropna().unique()))]
    clip = f"{record['frames']} frames of {height}x{width} on {record['device']}"
    return f"Costs are estimates for {clip}{how}."


def _about_proxies(designs: pd.DataFrame) -> str:
    if "proxy.params" in designs and (designs["proxy.params"] < designs["params"]).any():
        return "Quality is that of width-scaled proxies trained briefly: it ranks designs only roughly."
    return ""


def _amount(quantity: Quantity, value: float) -> str:
    return f"{value * quantity.scale:,.4g} {quantity.unit or quantity.label}"
