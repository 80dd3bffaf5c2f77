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


def designs(trials: Sequence[FrozenTrial]) -> list[tuple[int, Record]]:
    """The trained designs: the number of each one's first training, and its record with mean metrics."""
    trained: dict[str, list[FrozenTrial]] = defaultdict(list)
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            trained[record_of(trial)["hash"]].append(trial)
    return [(repeats[0].number, _mean(repeats)) for repeats in trained.values()]


def front(trials: Sequence[FrozenTrial], objectives: Sequence[Objective]) -> list[tuple[int, Record]]:
    """Those of `designs` that none other dominates, cheapest in the last objective first."""
    known = designs(trials)
    if not known:
        return []
    values = np.array([_values(record, objectives) for _, record in known])
    maximised = [objective.direction == "maximize" for objective in objectives]
    best = np.flatnonzero(is_nondominated(values, maximise=maximised, keep_weakly=True))
    last = values[best, -1] * (-1 if maximised[-1] else 1)
    return [known[i] for i in best[np.argsort(last, kind="stable")]]


def _values(record: Record, objectives: Sequence[Objective]) -> list[float]:
    known = record["costs"] | record["metrics"]
    return [float(known[objective.name]) for objective in objectives]


def _mean(repeats: Sequence[FrozenTrial]) -> Record:
    if len(repeats) == 1:
        return record_of(repeats[0])
    records = [record_of(trial) for trial in repeats]
    metrics = {name: fmean(record["metrics"][name] for record in records) for name in records[0]["metrics"]}
    return records[0] | {"metrics": metrics}
