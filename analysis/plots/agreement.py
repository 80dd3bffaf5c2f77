"""The picture of estimated against measured latency."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import spearmanr

from search_space.counting import plural

from ..quantities import QUANTITIES
from .canvas import COLOURS, FADED, INK, canvas, say, scale, shortened
from .captions import footnote, legend_beside
from .labels import label_points

_LABELLED = 12  # decoders, at most, that carry their name
_KINDS = (("probe", COLOURS[1], "s", 16), ("decoder", COLOURS[0], "o", 42))


def plot_agreement(compared: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Estimated against measured latency of decoders and probes, both in ms.

    On the line they agree; the band about it is a factor of 1.25. Hollow marks are estimates by a fit that
    left the measurement out.

    Args:
        compared: one row a measurement: ``subject``, ``frames`` (of a decoder's clip; 0 for a probe),
            ``measured_ms``, ``estimated_ms`` and, where there are, ``left_out_ms`` (by a fit to the others)
            and ``low_ms`` and ``high_ms`` (the estimate's interval).
        ax: where to draw; None for a new figure.
    """
    ax = canvas(ax)
    ax.set_title(f"Estimated and measured latency ({plural(len(compared), 'measurement')})", loc="left")
    ax.set(xlabel="Measured latency (ms)", ylabel="Estimated latency (ms)   better: on the line")
    if compared.empty:
        say(ax, "Nothing was measured")
        return ax
    estimates = compared[[name for name in ("estimated_ms", "left_out_ms") if name in compared]]
    both = np.concatenate([compared["measured_ms"].to_numpy(), estimates.to_numpy().ravel()])
    for which in ("x", "y"):
        scale(ax, which, QUANTITIES["latency_ms"], both[np.isfinite(both)])
    ends = np.array(ax.get_xlim())
    ax.plot(ends, ends, color=INK, lw=1, zorder=1, label="agreement")
    ax.fill_between(ends, ends / 1.25, ends * 1.25, color=FADED, alpha=0.15, lw=0, label="within 25 %")
    is_decoder = compared["frames"] > 0
    notes = []
    for (kind, colour, marker, size), rows in zip(
        _KINDS, (compared[~is_decoder], compared[is_decoder]), strict=True
    ):
        if len(rows):
            _marks(ax, rows, kind, colour, marker, size)
            notes.append(_errors(rows, kind))
    legend_beside(ax)
    footnote(ax, notes)
    decoders = compared[is_decoder]
    if len(decoders) <= _LABELLED:
        at = (decoders["measured_ms"].to_numpy(), decoders["estimated_ms"].to_numpy())
        names = [shortened(str(subject), 30) for subject in decoders["subject"]]
        label_points(ax, *at, names, avoid=compared[["measured_ms", "estimated_ms"]].to_numpy())
    return ax


def _marks(ax: Axes, rows: pd.DataFrame, kind: str, colour: Any, marker: str, size: int) -> None:
    x, y = rows["measured_ms"], rows["estimated_ms"]
    faint = max(0.2, min(0.9, 150 / len(rows)))
    if "low_ms" in rows:
        reach = [y - rows["low_ms"], rows["high_ms"] - y]
        ax.errorbar(x, y, yerr=reach, fmt="none", ecolor=colour, elinewidth=1, alpha=0.4, zorder=2)
    style: dict[str, Any] = {"marker": marker, "s": size, "rasterized": len(rows) > 200, "alpha": faint}
    ax.scatter(x, y, color=colour, lw=0, zorder=3, label=f"{kind}s ({len(rows):,})", **style)
    if "left_out_ms" in rows:
        label = f"{kind}s, left out of the fit"
        ax.scatter(
            x, rows["left_out_ms"], facecolors="none", edgecolors=colour, zorder=2, label=label, **style
        )


def _errors(rows: pd.DataFrame, kind: str) -> str:
    """Median errors and the rank correlation of the estimates, in words."""
    measured = rows["measured_ms"]

    def error(column: str) -> str:
        return f"{(rows[column] / measured - 1).abs().median():.1%}"

    text = f"{plural(len(rows), kind)}: median error {error('estimated_ms')}"
    if "left_out_ms" in rows:
        text += f", left out of the fit {error('left_out_ms')}"
    if len(rows) >= 3:
        text += f"; rank correlation (Spearman) {spearmanr(measured, rows['estimated_ms']).statistic:.3f}"
    return f"{text}."
