"""The words about a picture: its title, its axes, and what its figures rest on."""

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.legend import Legend

from search_space.counting import plural

from ..design_table import designs
from ..quantities import Objective, Quantity
from .canvas import COLOURS, INK, capital, shortened

_WARNING = COLOURS[3]
_LINE = 12.4  # characters of a small line of text, an inch


def title(ax: Axes, text: str, name: str) -> None:
    """The title, with the name of what is drawn."""
    ax.set_title(f"{capital(text)} ({shortened(name, 30)})", loc="left")


def with_unit(quantity: Quantity) -> str:
    """``"Latency (ms)"``, ``"SSIM"``."""
    return capital(f"{quantity.label} ({quantity.unit})" if quantity.unit else quantity.label)


def label_axes(ax: Axes, across: Objective, up: Objective) -> None:
    """Names both axes, with units and the better direction."""
    for objective, set_label in ((across, ax.set_xlabel), (up, ax.set_ylabel)):
        name = with_unit(objective.quantity)
        set_label(f"← better   {name}" if objective.direction == "minimize" else f"{name}   better →")


def opaque(legend: Legend) -> None:
    """Shows the marks of a legend in full colour, however faint they are drawn."""
    for mark in legend.legend_handles:
        if isinstance(mark, PathCollection):  # not an area, which is faint by its nature
            mark.set_alpha(1.0)


def legend_beside(ax: Axes, **options: Any) -> None:
    """The legend to the right of the axes, its marks in full colour."""
    legend = ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        borderaxespad=0,
        labelspacing=0.7,
        **options,
    )
    opaque(legend)


def footnote(ax: Axes, notes: Sequence[str], warning: str = "") -> None:
    """Small lines below the label of the lower axis, the warning first; empty ones are left out."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    width = round(_LINE * figure.get_figwidth())
    blocks = [
        (textwrap.fill(warning, width), _WARNING),
        ("\n".join(textwrap.fill(note, width) for note in notes if note), INK),
    ]
    above: Any = ax.xaxis.label
    for text, colour in blocks:
        if text:
            above = ax.annotate(
                text,
                (0, 0),
                (0, -4),
                color=colour,
                xycoords=(ax.yaxis.label, above),
                textcoords="offset points",
                va="top",
                size="small",
            )


def study_footnote(ax: Axes, study: pd.DataFrame, notes: Sequence[str] = ()) -> None:
    """What a picture of a study rests on: first the weights of the teacher, loudly if a stand-in."""
    record = study.attrs["study"]
    weights = f"{record['teacher']}, {record['weights']['description']}."
    if record["weights"]["kind"] == "stand-in":
        footnote(ax, notes, f"Stand-in teacher, not the real one: {weights}")
    else:
        footnote(ax, [f"Teacher: {weights}", *notes])


def about_costs(study: pd.DataFrame) -> str:
    """What the costs are of, and what made them."""
    record = study.attrs["study"]
    height, width = record["resolution"]
    how = {
        (): "",
        ("trace",): ", from the operators of each design",
        ("coreml",): ", from the converted Core ML programs",
        ("coreml", "trace"): ", from the Core ML programs of the front and from the operators of the others",
    }[tuple(sorted(designs(study)["source"].dropna().unique()))]
    clip = f"{plural(record['frames'], 'frame')} of {height}x{width} on {record['device']}"
    return f"Costs are estimates for {clip}{how}."


def about_proxies(table: pd.DataFrame) -> str:
    """A warning where what was trained is a narrowed copy of the design; else nothing."""
    if "proxy.params" in table and (table["proxy.params"] < table["params"]).any():
        return "Quality is that of width-scaled proxies trained briefly: it ranks designs only roughly."
    return ""


def amount(quantity: Quantity, value: float) -> str:
    """A value with its unit, ``"160 ms"``."""
    return f"{value * quantity.scale:,.4g} {quantity.unit or quantity.label}"
