"""What a front is seen against: designs with a name, the teacher, frame rates."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes

from ..quantities import Objective
from .canvas import COLOURS, INK, place, shortened

_MARKERS = "DsP^vX*<"
_MARKS = tuple(COLOURS[i] for i in (1, 2, 4, 5, 8))
_NAMED = 8  # named designs, at most, that have a mark of their own
_ISO_FPS = (24, 30, 60)


def mark_named(ax: Axes, named: pd.DataFrame, across: Objective, up: Objective) -> None:
    """Trained designs with a name: published ones, TAEHV, Flash-VAED."""
    for i, (_, design) in enumerate(named.head(_NAMED).iterrows()):
        label = textwrap.fill(f"{shortened(design['name'], 50)} (#{design['number']})", 30)
        mark = {"marker": _MARKERS[i], "color": _MARKS[i % len(_MARKS)]}
        at = place(design.to_frame().T, across, up)
        ax.scatter(*at, s=80, edgecolor="black", lw=0.8, zorder=4, label=label, **mark)


def mark_costs_alone(ax: Axes, published: pd.DataFrame, across: Objective) -> None:
    """Designs that were not trained, hollow on the lower axis; call it when the limits are final."""
    floor = ax.get_xaxis_transform()
    for i, (_, design) in enumerate(published.head(_NAMED).iterrows()):
        label = textwrap.fill(f"{shortened(design['name'], 50)}: costs alone", 30)
        x = design[across.name] * across.quantity.scale
        ax.scatter(
            x,
            0,
            s=60,
            marker=_MARKERS[-1 - i],
            color="white",
            edgecolor="black",
            lw=1,
            zorder=6,
            label=label,
            transform=floor,
            clip_on=False,
        )


def teacher_psnr(study: pd.DataFrame, up: Objective) -> float | None:
    """The teacher's own PSNR in dB, where that is what goes up and is known."""
    return study.attrs["study"].get("teacher_psnr") if up.name == "psnr" else None


def mark_teacher(ax: Axes, psnr: float) -> str:
    """A line at the teacher's own PSNR, unless it would flatten all else, and the note on it."""
    low, high = ax.get_ylim()
    if low < psnr < high + 0.75 * (high - low):
        ax.set_ylim(low, max(high, psnr + 0.06 * (psnr - low)))
        ax.axhline(psnr, color=INK, lw=1.2, ls=":", zorder=0, label="teacher itself")
    return f"The teacher itself reaches {psnr:.2f} dB on the same clips."


def mark_frame_rates(ax: Axes, across: Objective, frames: int) -> None:
    """Lines at the frame rates of film, video and games, named on an upper axis.

    Args:
        ax: with its limits final.
        across: nothing is drawn where it is neither a latency nor a speed.
        frames: of the clip that the latency belongs to.
    """
    if across.name in ("fps", "fps_low"):
        places = {fps: float(fps) for fps in _ISO_FPS}
    elif across.name in ("latency_ms", "latency_high_ms"):
        places = {fps: frames / fps * 1e3 for fps in _ISO_FPS}
    else:
        return
    low, high = ax.get_xlim()
    places = {fps: x for fps, x in places.items() if low < x < high}
    if not places:
        return
    for x in places.values():
        ax.axvline(x, color=INK, lw=0.9, ls=(0, (4, 3)), zorder=0)
    upper = ax.secondary_xaxis("top")
    ordered = sorted(places, key=lambda fps: places[fps])
    names = [f"frames/s:  {fps}" if fps == ordered[0] else str(fps) for fps in ordered]
    upper.set_xticks([places[fps] for fps in ordered], names)
    # 24 and 30 are near each other: their names stand on the sides where the other isn't.
    for fps, label in zip(ordered, upper.get_xticklabels(), strict=True):
        right = fps == ordered[0] or (fps == 30 and ordered[-1] == 24)
        label.set_horizontalalignment("right" if right else "left")
    upper.set_xticks([], minor=True)
    upper.tick_params(length=0, labelsize="small", colors=INK)
    upper.spines["top"].set_visible(False)
