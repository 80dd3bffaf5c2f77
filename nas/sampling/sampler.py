"""Proposes the designs of a search: costs are known before a training, so only quality is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial

from nas.objectives import QUALITY, Objective
from nas.sampling.encoding import encode_designs
from nas.sampling.pool import Candidates, Pool, Pricer, key
from nas.sampling.trials import Trials
from search_space import DecoderConfig, SearchSpace
from search_space.conditions import Condition

REPEAT_OF = "repeat_of"
"""User attribute of a trial that trains a design again on purpose: the number of the earlier trial."""

_SPREAD = 8  # designs, spread over log latency, that come after the first
_ROUNDS = 3  # of steps away from the best candidates
_WIDTH = 10  # candidates that each round steps away from


class CostAwareSampler(optuna.samplers.BaseSampler):
    """Proposes what is expected to add most to the hypervolume of the front.

    The first design of the space comes first, then a few spread over log latency. From then on a Gaussian
    process predicts quality, while the costs of every candidate are exact. A proposal depends on the seed,
    the trial's number and the trials in the storage alone.

    Attributes:
        beginning: the designs that a study begins with.
        exhausted: whether the last proposal was a design tried before, since no other was found that meets
            the constraints.
    """

    def __init__(
        self,
        space: SearchSpace,
        costs: Pricer,
        objectives: Sequence[Objective],
        constraints: Sequence[Condition] = (),
        seed: int = 0,
    ) -> None:
        """Prices a pool of designs.

        Args:
            space: what can be built.
            costs: of designs, as `nas.costs.tables.space_costs.SpaceCosts.costs` gives them.
            objectives: of the study, in its order.
            constraints: that every proposal meets; the first design may break them, and is proposed anyway.
            seed: of all random draws.

        Raises:
            UserError: no design drawn meets the constraints; says the best value found.
        """
        self._space = space
        self._objectives = tuple(objectives)
        self._candidates = Candidates(space, costs, objectives, constraints)
        self._seed = seed
        self._beginning = self._spread()
        self.exhausted = False

    @property
    def beginning(self) -> list[DecoderConfig]:
        return [self._space.at(design) for design in self._beginning]

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {
            parameter.name: IntDistribution(parameter.values[0], parameter.values[-1])
            if parameter.ordered
            else CategoricalDistribution(parameter.choices)
            for parameter in self._space.asked
        }

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        trials = Trials.of(study, self._space, but=trial.number)
        design = self._proposed(trials, np.random.default_rng((self._seed, trial.number)))
        return {p.name: p.values[at] for p, at in zip(self._space.asked, design, strict=True)}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Raises ValueError: all parameters are proposed together."""
        raise ValueError(f"parameter '{param_name}' with {param_distribution} is not one of the space")

    def reseed_rng(self) -> None:
        """Does nothing: what is drawn depends on the trial's number."""

    def _spread(self) -> np.ndarray:
        """The first design, and random ones from equal strata of log latency, in a random order."""
        rng = np.random.default_rng(self._seed)
        pool = self._candidates.drawn(rng)
        if not len(pool):
            raise self._candidates.why_none(rng)
        latency = pool.log_costs[:, 1]
        edges = np.linspace(latency.min(), latency.max(), _SPREAD + 1)[1:-1]
        strata = np.digitize(latency, edges)
        chosen = [rng.choice(np.flatnonzero(strata == stratum)) for stratum in np.unique(strata)]
        first = self._candidates.priced(self._space.positions(self._space.first)[None])
        return np.concatenate([first.designs, pool.designs[rng.permutation(chosen)]])

    def _proposed(self, trials: Trials, rng: np.random.Generator) -> np.ndarray:
        self.exhausted = False
        for design in self._beginning:
            if key(design) not in trials.tried:
                return design
        pool = self._candidates.drawn(rng, trials.tried)
        if not len(pool):
            self.exhausted = True
            return self._beginning[0]
        if len(trials.trained) < 2:
            return pool.designs[rng.integers(len(pool))]
        return self._best(trials, pool)

    def _best(self, trials: Trials, pool: Pool) -> np.ndarray:
        from nas.sampling.improvement import boxes, expected_improvement
        from nas.sampling.quality_model import QualityModel

        trained = self._candidates.priced(trials.trained)
        columns = [index for index, one in enumerate(self._objectives) if one.name in QUALITY]
        models = [QualityModel(self._features(trained), trials.values[:, column]) for column in columns]
        seen = trained + self._candidates.priced(trials.pending)
        predicted = [model.predict(self._features(seen)) for model in models]
        front = np.column_stack([*(one.mean for one in predicted), seen.known])
        first = self._candidates.priced(self._beginning[:1])
        worst = [trials.values[:, column].min() - 0.1 for column in columns]
        reference = np.array([*worst, *(np.minimum(first.known, trained.known.min(axis=0)) - np.log(2))[0]])
        lower, upper = boxes(front, reference)

        def gains(some: Pool) -> np.ndarray:
            quality = [model.predict(self._features(some)) for model in models]
            mean = np.column_stack([one.mean for one in quality])
            deviation = np.column_stack([one.deviation for one in quality])
            return expected_improvement(some.known, mean, deviation, lower, upper)

        values = gains(pool)
        for _ in range(_ROUNDS):
            best = np.argsort(-values)[:_WIDTH]
            near = self._candidates.neighbours(pool.designs[best], trials.tried)
            pool, values = pool[best] + near, np.concatenate([values[best], gains(near)])
        return pool.designs[np.argmax(values)]

    def _features(self, pool: Pool) -> np.ndarray:
        return np.hstack([encode_designs(self._space, pool.designs), pool.log_costs])
