"""Proposes the designs of a search: costs are known before a training, so only quality is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial

from nas.objectives import Objective
from nas.sampling.pool import Candidates, Pricer, key
from nas.sampling.prior import Prior
from nas.sampling.trials import Trials
from search_space import DecoderConfig, SearchSpace
from search_space.conditions import Condition

if TYPE_CHECKING:
    from nas.sampling.proposal import Proposer

REPEAT_OF = "repeat_of"
"""User attribute of a trial that trains a design again on purpose: the number of the earlier trial."""

_SPREAD = 8  # designs, spread over log latency, that come after the first
_BETWEEN = 3  # with a prior every third trial is one, and later: else what it is wrong in is not found out


class CostAwareSampler(optuna.samplers.BaseSampler):
    """Proposes what is expected to add most to the hypervolume of the front.

    The first design of the space comes first, then a few spread over log latency. From then on a Gaussian
    process predicts quality, while the costs of every candidate are exact. With a prior it does so from the
    second trial, and the spread designs come later, in between. A design is proposed again where knowing it
    better is worth more than any new one; its trial has the user attribute `REPEAT_OF`.

    A proposal depends on the seed, the trial's number and the trials in the storage alone. Trials that run,
    in any process, count as what is expected of them.

    Attributes:
        objectives: of the studies that it is for, in their order.
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
        prior: Prior | None = None,
    ) -> None:
        """Prices a pool of designs.

        Args:
            space: what can be built.
            costs: of designs, as `nas.costs.tables.space_costs.SpaceCosts.costs` gives them.
            objectives: of the study, in its order.
            constraints: that proposals meet; the first design may break them, and is proposed all the same.
            seed: of all random draws.
            prior: trainings known before. With it the model is asked after the first design, and the spread
                designs come later, one in three trials.

        Raises:
            UserError: no design drawn meets the constraints; says the best value found.
        """
        self._space = space
        self._seed = seed
        self.objectives, self._constraints = tuple(objectives), tuple(constraints)
        self._candidates = Candidates(space, costs, objectives, constraints)
        self._prior = prior
        self._beginning = self._spread()
        self.exhausted = False

    @property
    def beginning(self) -> list[DecoderConfig]:
        """The first design and the spread ones, which a study begins with, but for a prior."""
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
        later = trial.number > _SPREAD and trial.number % _BETWEEN == 0
        beginning = self._beginning if self._prior is None or later else self._beginning[:1]
        design = next((design for design in beginning if key(design) not in trials.tried), None)
        self.exhausted = False
        if design is None:
            proposal = self._proposer.propose(trials, np.random.default_rng((self._seed, trial.number)))
            design, self.exhausted = proposal.design, proposal.exhausted
            if proposal.repeat_of is not None:
                study._storage.set_trial_user_attr(trial._trial_id, REPEAT_OF, proposal.repeat_of)
                trial.user_attrs[REPEAT_OF] = proposal.repeat_of  # where the trial that was asked reads it
        chosen = zip(self._space.asked, design, strict=True)
        return {parameter.name: parameter.values[position] for parameter, position in chosen}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Raises ValueError: all parameters are proposed together."""
        raise ValueError(f"parameter '{param_name}' of {param_distribution} is not one of the space")

    def reseed_rng(self) -> None:
        """Does nothing: what is drawn depends on the trial's number."""

    def _spread(self) -> np.ndarray:
        """The first design and one of each equal stratum of log latency, in a random order.

        From a stratum that one is taken which is least like those taken before, by features: their main
        effects are told apart best.
        """
        rng = np.random.default_rng(self._seed)
        pool = self._candidates.drawn(rng)
        if not len(pool):
            raise self._candidates.why_none(rng)
        latency = pool.log_latency
        strata = np.digitize(latency, np.linspace(latency.min(), latency.max(), _SPREAD + 1)[1:-1])
        features = self._candidates.features(pool)
        distance = _squared_distance(features, self._candidates.features(self._candidates.first))
        chosen = []
        for stratum in rng.permutation(np.unique(strata)):
            inside = np.flatnonzero(strata == stratum)
            chosen.append(inside[distance[inside].argmax()])
            distance = np.minimum(distance, _squared_distance(features, features[chosen[-1]]))
        return np.concatenate([self._candidates.first.designs, pool.designs[chosen]])

    @cached_property
    def _proposer(self) -> Proposer:
        from nas.sampling.proposal import Proposer  # with BoTorch, which takes seconds to import

        return Proposer(self._candidates, self.objectives, self._constraints, self._prior)


def _squared_distance(features: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Of features [N, F] from one point [F]."""
    return np.asarray(((features - point) ** 2).sum(axis=1))
