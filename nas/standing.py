"""How the designs of a study stand among each other: by the mean over all trainings of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from moocore import is_nondominated
from optuna.trial import FrozenTrial, TrialState

from nas.objectives import Objective
from nas.record import Record, record_of


def front(trials: Sequence[FrozenTrial], objectives: Sequence[Objective]) -> list[tuple[int, Record]]:
    """The designs that none other dominates, cheapest in the last objective first.

    Returns:
        The number of each design's first training, and its record with the mean metrics of all of them.
    """
    designs: dict[str, list[FrozenTrial]] = defaultdict(list)
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            designs[record_of(trial)["hash"]].append(trial)
    if not designs:
        return []
    values = np.array([np.mean([trial.values for trial in some], axis=0) for some in designs.values()])
    maximised = [objective.direction == "maximize" for objective in objectives]
    best = is_nondominated(values, maximise=maximised, keep_weakly=True)
    sign = -1 if maximised[-1] else 1
    some = [
        list(designs.values())[i]
        for i in np.flatnonzero(best)[np.argsort(sign * values[best, -1], kind="stable")]
    ]
    return [(repeats[0].number, _mean(repeats)) for repeats in some]


def _mean(repeats: Sequence[FrozenTrial]) -> Record:
    records = [record_of(trial) for trial in repeats]
    metrics = {name: fmean(record["metrics"][name] for record in records) for name in records[0]["metrics"]}
    return records[0] | {"metrics": metrics}
