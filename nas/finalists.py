"""Which designs of a search are worth a second, longer look.

Some designs are on the front by the luck of one training, and others are behind it for want of luck. So where
there is time for more designs than the front has, those that miss it by the least come next: with twelve
confirmed, 2.9 % of the true front is lost, with those of the front alone 5.0 %
(`python benchmarks/confirmation.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np

from nas.objectives import QUALITY, Objective
from nas.record import Record


def finalists(
    known: Sequence[tuple[int, Record]], objectives: Sequence[Objective], count: int
) -> list[tuple[int, Record]]:
    """The designs worth confirming: the front's, by hypervolume, then those that miss it by the least.

    The front's designs come in the order of the hypervolume that would be lost without them.

    Args:
        known: number and record of each design.
        objectives: of the study.
        count: of the designs wanted.
    """
    if not known:
        return []
    values = _scaled(known, objectives)
    qualities = [i for i, objective in enumerate(objectives) if objective.name in QUALITY]
    costs = [i for i in range(len(objectives)) if i not in qualities]
    # [design, rival, quality]: how far each is behind each; a rival counts where it costs no more.
    behind = (values[:, None] - values[None])[..., qualities].min(axis=-1)
    rival = (values[None][..., costs] <= values[:, None][..., costs]).all(axis=-1)
    short = np.where(rival, behind, 0.0).max(axis=1).clip(0)
    # From beyond the worst values, or designs at the ends of the front would add nothing.
    volumes = moocore.hv_contributions(values, ref=1.1) if values.shape[1] > 1 else np.zeros(len(values))
    order = np.lexsort((-volumes, short))
    return [known[i] for i in order[:count]]


def _scaled(known: Sequence[tuple[int, Record]], objectives: Sequence[Objective]) -> np.ndarray:
    """Values [designs, objectives] from 0, the best, to 1, the worst; of the logarithms of costs."""
    columns = []
    for objective in objectives:
        values = np.array(
            [(record["metrics"] | record["costs"])[objective.name] for _, record in known], float
        )
        values = values if objective.name in QUALITY else np.log10(values)
        values = values if objective.direction == "minimize" else -values
        columns.append((values - values.min()) / (np.ptp(values) or 1.0))
    return np.stack(columns, axis=1)
