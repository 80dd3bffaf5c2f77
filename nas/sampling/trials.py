"""A study's trials as the sampler needs them: arrays of designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from nas.sampling.pool import key
from search_space import SearchSpace
from search_space.design_arrays import canonical

EXPECTED_VALUES = "expected_values"
"""User attribute of a trial whose training was ended early: the values that it was on the way to."""


@dataclass(frozen=True)
class Trials:
    """What was trained, what is being trained, and what else was tried.

    Attributes:
        trained: designs of the finished trainings, and of those ended early, [n, P], canonical; one trained
            again is there again.
        numbers: of those trials [n].
        values: what they reached, or were on the way to, all objectives of the study [n, M].
        pending: designs being trained [m, P].
        tried: `pool.key` of every design that any trial had, whatever became of it.
    """

    trained: np.ndarray
    numbers: np.ndarray
    values: np.ndarray
    pending: np.ndarray
    tried: frozenset[bytes]

    def of_which(self, kept: np.ndarray) -> Trials:
        """With some of the finished trainings alone, bool [n]."""
        finished = {name: getattr(self, name)[kept] for name in ("trained", "numbers", "values")}
        return replace(self, **finished)

    @classmethod
    def of(cls, study: optuna.Study, space: SearchSpace, but: int) -> Trials:
        """Those of a study but the trial of that number."""
        names = {parameter.name for parameter in space.asked}
        trials = [
            trial
            for trial in study.get_trials(deepcopy=False)
            if trial.number != but and names <= trial.params.keys()
        ]
        designs = canonical(space, _designs(space, trials))
        reached = [trial.values or trial.user_attrs.get(EXPECTED_VALUES) for trial in trials]
        running = [trial.state == TrialState.RUNNING for trial in trials]
        finished = [values is not None and not runs for values, runs in zip(reached, running, strict=True)]
        values = [values for values, ends in zip(reached, finished, strict=True) if ends]
        return cls(
            designs[np.array(finished, dtype=bool)],
            np.array([trial.number for trial in trials], dtype=np.int64)[np.array(finished, dtype=bool)],
            np.array(values).reshape(len(values), len(study.directions)),
            designs[np.array(running, dtype=bool)],
            frozenset(map(key, designs)),
        )


def _designs(space: SearchSpace, trials: Sequence[FrozenTrial]) -> np.ndarray:
    positions = [
        [parameter.values.index(trial.params[parameter.name]) for parameter in space.asked]
        for trial in trials
    ]
    return np.array(positions, dtype=np.int64).reshape(len(trials), len(space.asked))
