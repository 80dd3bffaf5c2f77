"""What every picture has in common: colours, axes with room, ticks in plain numbers, sentences."""

import textwrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ..quantities import Objective, Quantity

COLOURS = sns.color_palette("colorblind")
FADED, INK = "0.6", "0.3"
WIDTH, HEIGHT = 8.5, 5.2  # inches


def canvas(ax: Axes | None, height: float = HEIGHT) -> Axes:
    """Axes to draw on: those given, or those of a new figure so many inches high, with a faint grid."""
    if ax is None:
        with sns.axes_style("ticks"):
            ax = plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]
    ax.grid(color="0.93", lw=0.8)
    ax.set_axisbelow(True)
    sns.despine(ax=ax)
    return ax


def scale(ax: Axes, which: str, quantity: Quantity, values: np.ndarray) -> None:
    """Limits with room about the values, even about a single one, and ticks in plain numbers."""
    low, high = float(np.min(values)), float(np.max(values))
    set_limits = ax.set_xlim if which == "x" else ax.set_ylim
    if quantity.log:
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        room = max((high / low) ** 0.08, 1.0 if high > 4 * low else 1.5)
        set_limits(low / room, high * room)
        plain_log(ax.xaxis if which == "x" else ax.yaxis, low / room, high * room)
    else:
        room = max(0.08 * (high - low), 0.005 * abs(high), 1e-6)
        set_limits(low - room, high + room)


def plain_log(axis: Axis, low: float, high: float) -> None:
    """Ticks in plain numbers on a logarithmic axis that goes from ``low`` to ``high``."""
    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 3 else (1.0,)))
    if decades < 0.5:
        axis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


def shortened(text: str, length: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def say(ax: Axes, text: str) -> None:
    """A sentence where there is no front: in the middle, or in the corner that points leave free."""
    empty = not ax.has_data()
    x, y, across, up = (0.5, 0.5, "center", "center") if empty else (0.03, 0.97, "left", "top")
    style: dict[str, Any] = {"ha": across, "va": up, "color": INK, "size": "large", "zorder": 6}
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    ax.text(x, y, textwrap.fill(text, 60), transform=ax.transAxes, bbox=paper, **style)
    if empty:
        ax.set(xticks=[], yticks=[])


def place(rows: pd.DataFrame, across: Objective, up: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Where designs stand: [designs] each, in the units of the axes."""
    return (
        rows[across.name].to_numpy(dtype=float) * across.quantity.scale,
        rows[up.name].to_numpy(dtype=float) * up.quantity.scale,
    )
