"""The design to train next: the best of a pool of candidates, then of what is near the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas.costs.tables.front import nondominated
from nas.objectives import QUALITY, Objective
from nas.sampling.acquisition import Acquisition
from nas.sampling.encoding import encode
from nas.sampling.pool import Candidates, Pool
from nas.sampling.prior import Prior
from nas.sampling.quality_model import QualityModel
from nas.sampling.trials import Trials
from search_space.conditions import Condition

_MOST_KNOWN = 500  # trainings that a model knows of
_POOR = 0.05  # share of candidates whose expected quality is below where hypervolume begins
_RATED = 500  # candidates that this is found by
_ROUNDS = 3  # of steps away from the best candidates
_STARTS = 10  # candidates that each round steps away from


@dataclass(frozen=True)
class Proposal:
    """A design [P] to train.

    Attributes:
        repeat_of: number of the trial that it repeats on purpose.
        exhausted: it was tried before, since no other was found.
    """

    design: np.ndarray
    repeat_of: int | None = None
    exhausted: bool = False


class Proposer:
    """Makes proposals from a study's trials."""

    def __init__(
        self,
        candidates: Candidates,
        objectives: Sequence[Objective],
        constraints: Sequence[Condition],
        prior: Prior | None,
    ) -> None:
        self._candidates = candidates
        self._quality = [index for index, one in enumerate(objectives) if one.name in QUALITY]
        self._signs = np.array([1 if one.direction == "maximize" else -1 for one in objectives])
        self._worst = _worst(candidates, objectives, constraints)
        names = [objectives[index].name for index in self._quality]
        self._before = [None if prior is None else self._model(prior, name) for name in names]

    def propose(self, trials: Trials, rng: np.random.Generator) -> Proposal:
        """The design whose training is worth most."""
        pool = self._candidates.drawn(rng, trials.tried)
        if not len(pool):
            pool = self._candidates.neighbours(trials.trained, trials.tried)
        if not len(pool):
            return Proposal(self._candidates.first.designs[0], exhausted=True)
        if not len(trials.trained) and (None in self._before or not len(trials.pending)):
            return Proposal(pool.designs[rng.integers(len(pool))])
        trials = self._telling(trials)
        models = [
            self._informed(trials, column, before)
            for column, before in zip(self._quality, self._before, strict=True)
        ]
        known = self._candidates.priced(np.unique(np.concatenate([trials.trained, trials.pending]), axis=0))
        some = self._candidates.features(pool[np.arange(0, len(pool), max(len(pool) // _RATED, 1))])
        poor = [np.quantile(model.predict(some).mean, _POOR) for model in models]
        worst = np.minimum(trials.values[:, self._quality].min(axis=0, initial=np.inf), poor)
        acquisition = Acquisition(models, self._candidates.features, known, np.append(worst, self._worst))
        pool += self._candidates.neighbours(known.designs[acquisition.front], trials.tried)
        design, worth = self._climbed(acquisition, pool, trials)
        return self._repeat(acquisition, known, trials, worth) or Proposal(design)

    def _telling(self, trials: Trials) -> Trials:
        """The trials with no more trainings than a model can take in quickly: the best, and the latest."""
        surplus = len(trials.trained) - _MOST_KNOWN
        if surplus <= 0:
            return trials
        kept = nondominated(-self._signs * trials.values)
        kept[np.flatnonzero(~kept)[surplus:]] = True
        return trials.of_which(kept)

    def _informed(self, trials: Trials, column: int, before: QualityModel | None) -> QualityModel:
        """A model of the objective in a column of the values, by what is trained and being trained."""
        group = self._candidates.scales.group
        trained, pending = (
            self._candidates.features(self._candidates.priced(some))
            for some in (trials.trained, trials.pending)
        )
        if before is not None and not len(trained):
            return QualityModel(pending, group, before.predict(pending[:, : before.columns]).mean, before)
        model = QualityModel(trained, group, trials.values[:, column], before)
        if len(pending):
            model.expect(pending)
        return model

    def _model(self, prior: Prior, name: str) -> QualityModel | None:
        """Of a prior's trainings, by what their designs are made of; None where that quality isn't known."""
        known = np.isfinite(prior.quality[name])
        if not known.any():
            return None
        features = self._candidates.scales(encode(prior.configs))[known]
        return QualityModel(
            features, self._candidates.scales.group[: features.shape[1]], prior.quality[name][known]
        )

    def _repeat(self, acquisition: Acquisition, known: Pool, trials: Trials, worth: float) -> Proposal | None:
        """The design that it is worth most to train again, if that is more than `worth`."""
        worths = acquisition.of_repeats()
        for index in np.argsort(-worths, kind="stable"):
            if worths[index] <= worth:
                break
            numbers = trials.numbers[(trials.trained == known.designs[index]).all(axis=1)]
            if len(numbers):  # else it is being trained for the first time
                return Proposal(known.designs[index], repeat_of=int(numbers.min()))
        return None

    def _climbed(self, acquisition: Acquisition, pool: Pool, trials: Trials) -> tuple[np.ndarray, float]:
        """The best design that a few rounds of steps from the best of a pool lead to, and its worth."""
        worth = acquisition.of_new(pool)
        for _ in range(_ROUNDS):
            best = np.argsort(-worth, kind="stable")[:_STARTS]
            near = self._candidates.neighbours(pool.designs[best], trials.tried)
            pool, worth = pool[best] + near, np.concatenate([worth[best], acquisition.of_new(near)])
        first = int(worth.argmax())
        return pool.designs[first], float(worth[first])


def _worst(
    candidates: Candidates, objectives: Sequence[Objective], constraints: Sequence[Condition]
) -> np.ndarray:
    """Where the hypervolume ends along each cost, as `Pool.known` has them [C].

    At twice the first design's cost (half its speed), or at what a constraint allows where that is nearer.
    """
    worst = candidates.first.known[0] - np.log(2)
    for index, objective in enumerate(one for one in objectives if one.name not in QUALITY):
        sign, facing = (1, ">") if objective.direction == "maximize" else (-1, "<")
        for one in constraints:
            if one.name == objective.name and one.operator and one.bound and one.operator[0] == facing:
                worst[index] = max(worst[index], sign * np.log(one.bound))
    return worst
