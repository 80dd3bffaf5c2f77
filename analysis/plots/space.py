"""The picture of a space: what its designs cost, before any of them is trained."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from search_space.counting import plural

from ..quantities import QUANTITIES
from .canvas import COLOURS, FADED, canvas, say, scale
from .captions import footnote, legend_beside

_OPERATORS = 8  # that have a colour of their own, the most common ones
_MARKERS = "DsP^vX*<"
_OTHERS = "others"


def plot_space(sweep: pd.DataFrame, front: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Latency against arithmetic of the designs of a sweep, coloured by the operator that takes most time.

    Designs that miss a constraint are faded. The exact front of the whole space is a line: no design of the
    space, drawn or not, does more arithmetic in less time. Designs with a name have marks of their own.

    Args:
        sweep: one row a design: ``latency_ms``, ``flops``, ``busiest``, ``meets`` (every constraint) and
            ``name`` (None for most); ``.attrs["sweep"]`` says what was swept.
        front: the exact front, with the same columns; it may be empty.
        ax: where to draw; None for a new figure.
    """
    ax = canvas(ax)
    record = sweep.attrs["sweep"]
    flops, latency = QUANTITIES["flops"], QUANTITIES["latency_ms"]
    ax.set_title(f"{plural(len(sweep), 'design')} of the space of {record['teacher']}", loc="left")
    meeting = sweep[sweep["meets"]]
    common = meeting["busiest"].value_counts().index[:_OPERATORS]
    operator = meeting["busiest"].where(meeting["busiest"].isin(common), _OTHERS)
    dots: dict[str, Any] = {
        "s": 5,
        "linewidths": 0,
        "alpha": max(0.15, min(0.8, 2e4 / len(sweep))),
        "rasterized": True,
    }
    if not sweep["meets"].all():
        missing = sweep[~sweep["meets"]]
        label = f"misses a constraint ({len(missing):,})"
        ax.scatter(missing["flops"] * flops.scale, missing["latency_ms"], color="0.85", label=label, **dots)
    # Shuffled, so that no operator hides the others.
    shuffled = np.random.default_rng(0).permutation(len(meeting))
    colours = dict(zip([*common, _OTHERS], [*COLOURS[:7], COLOURS[8], FADED], strict=False)) | {
        _OTHERS: FADED
    }
    ax.scatter(
        meeting["flops"].to_numpy()[shuffled] * flops.scale,
        meeting["latency_ms"].to_numpy()[shuffled],
        color=[colours[name] for name in operator.to_numpy()[shuffled]],
        **dots,
    )
    for name, count in operator.value_counts().items():
        ax.scatter([], [], s=30, color=colours[name], label=f"{name} ({count:,})")
    if len(front):
        drawn = front.sort_values("latency_ms")
        ax.plot(drawn["flops"] * flops.scale, drawn["latency_ms"], color="black", lw=1.3, label="exact front")
    named = sweep[sweep["name"].notna()]
    for i, (_, row) in enumerate(named.iterrows()):
        ax.scatter(
            row["flops"] * flops.scale,
            row["latency_ms"],
            s=70,
            marker=_MARKERS[i % len(_MARKERS)],
            color="white",
            edgecolor="black",
            zorder=4,
            label=textwrap.fill(row["name"], 30),
        )
    if not len(meeting):
        say(ax, "No design of the sweep meets " + " and ".join(record["constraints"]))
    everything = pd.concat([sweep[["flops", "latency_ms"]], front[["flops", "latency_ms"]]])
    scale(ax, "x", flops, everything["flops"].to_numpy() * flops.scale)
    scale(ax, "y", latency, everything["latency_ms"].to_numpy())
    ax.set(xlabel="Arithmetic (TFLOP)", ylabel="← better   Latency (ms)")
    legend_beside(ax, title="most time in", alignment="left")
    _footnote(ax, record)
    return ax


def _footnote(ax: Axes, record: Mapping[str, Any]) -> None:
    height, width = record["resolution"]
    sources = {"coreml": "converted Core ML programs", "trace": "the operators of each block"}
    clip = f"{plural(record['frames'], 'frame')} of {height}x{width} on {record['device']}"
    costs = f"Estimates, not measurements: {clip}, from {sources[record['source']]}."
    footnote(ax, [f"{costs} The space holds {record['size']:.3g} designs; the front is that of all of them."])
