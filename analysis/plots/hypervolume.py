"""The picture of a search's progress."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..absence import why_none
from ..front import hypervolume_over_trials, reference_point
from ..quantities import objectives_of
from .canvas import COLOURS, canvas, capital, say
from .captions import amount, study_footnote, title


def plot_hypervolume(
    study: pd.DataFrame, objectives: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """The hypervolume after each finished training: where it no longer rises, more training finds little.

    Args: as for ``hypervolume_over_trials``; ``ax`` is where to draw, None for a new figure.
    """
    ax = canvas(ax)
    title(ax, "hypervolume of the front so far", study.attrs["name"])
    chosen = objectives_of(study, objectives)
    volumes = hypervolume_over_trials(study, objectives)
    units = [
        f"decades of {o.quantity.label}" if o.quantity.log else o.quantity.unit or o.quantity.label
        for o in chosen
    ]
    ax.set(xlabel="Finished trainings", ylabel=f"Hypervolume ({' x '.join(units)})   better →")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    notes = []
    if volumes.empty:
        say(ax, capital(why_none(study, study.attrs["study"]["constraints"])))
    else:
        finished = np.arange(1, len(volumes) + 1)
        last = volumes.iloc[-1]
        ax.plot(finished, volumes, drawstyle="steps-post", color=COLOURS[0], lw=1.8)
        ax.plot(finished[-1:], [last], "o", color=COLOURS[0])
        at = (float(finished[-1]), last)
        ax.annotate(f"{last:.3g}", at, (0, 8), textcoords="offset points", ha="right")
        ax.set_ylim(0, last * 1.12 or 1.0)
        ax.set_xlim(1 - 0.03 * len(volumes), 1.03 * len(volumes))
        origin = reference_point(study, objectives)
        corner = " and ".join(amount(o.quantity, origin[o.name]) for o in chosen)
        notes.append(f"Measured from the worst of the trained designs in each objective: {corner}.")
    study_footnote(ax, study, notes)
    return ax
