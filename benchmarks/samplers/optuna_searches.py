"""Searches by Optuna's samplers, which treat every objective alike and know no costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from nas.costs.tables.space_costs import Costs
from samplers.problem import Problem
from samplers.problem import Trial as Training
from samplers.random_draws import untried
from search_space.design_arrays import canonical

_PATIENCE = 20  # proposals in a row that are refused, after which a random untried design is taken

Filter = Callable[[Costs], np.ndarray]


class OptunaSearch:
    """A sampler, asked and told.

    As in `nas search`, a proposal that breaks the constraint or was trained before is refused and costs
    nothing. The objectives are PSNR and log latency, as they are scored.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        sampler: BaseSampler,
        allows: Filter = lambda costs: costs.fits,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._problem, self._allows = problem, allows
        self._rng = np.random.default_rng(seed)
        self._tried: set[bytes] = set()
        self._asked: Trial | None = None
        self.study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)

    def propose(self) -> np.ndarray:
        for _ in range(_PATIENCE):
            trial = self.study.ask()
            design = self.suggested(trial)
            if self.accepts(design, trial):
                self._asked = trial
                return design
            self.study.tell(trial, state=TrialState.PRUNED)
        self._asked = None
        return untried(self._problem.drawn(self._rng)[0], self._tried)[0]

    def accepts(self, design: np.ndarray, trial: Trial) -> bool:
        """Whether a proposed design is to be trained."""
        return design.tobytes() not in self._tried and bool(
            self._allows(self._problem.costs(design[None]))[0]
        )

    def suggested(self, trial: Trial) -> np.ndarray:
        """The canonical design [P] that a trial proposes."""
        asked = self._problem.space.asked
        chosen = [parameter.values.index(parameter.suggest(trial)) for parameter in asked]
        return canonical(self._problem.space, np.array([chosen]))[0]

    def learn(self, trial: Training) -> None:
        self._tried.add(trial.design.tobytes())
        if self._asked is not None:
            self.study.tell(self._asked, self.values(trial))
        else:
            self.study.add_trial(self._finished(trial))

    def values(self, trial: Training) -> list[float]:
        """Of the study's objectives."""
        return [trial.training.psnr, float(np.log10(trial.training.latency_ms))]

    def _finished(self, trial: Training) -> FrozenTrial:
        asked = self._problem.space.asked
        values = {one.name: one.values[at] for one, at in zip(asked, trial.design, strict=True)}
        return create_trial(
            values=self.values(trial),
            params=values,
            distributions={one.name: _distribution(one) for one in asked},
        )


def _distribution(parameter):
    if parameter.ordered:
        return optuna.distributions.IntDistribution(parameter.values[0], parameter.values[-1])
    return optuna.distributions.CategoricalDistribution(parameter.choices)


def tpe(problem: Problem, seed: int) -> OptunaSearch:
    """Tree-structured Parzen estimator over all parameters jointly (Watanabe, 2023, arXiv 2304.11127)."""
    return OptunaSearch(problem, seed, optuna.samplers.TPESampler(seed=seed, multivariate=True))


def nsga2(problem: Problem, seed: int) -> OptunaSearch:
    """NSGA-II (Deb et al., 2002) with a population of 20, small enough for generations within the budget."""
    return OptunaSearch(problem, seed, optuna.samplers.NSGAIISampler(population_size=20, seed=seed))


def filtered_nsga2(problem: Problem, seed: int) -> OptunaSearch:
    """NSGA-II, its proposals refused where they are known to be slower than the published design."""
    slowest = problem.costs(problem.first[None]).latency_ms[0]
    sampler = optuna.samplers.NSGAIISampler(population_size=20, seed=seed)
    return OptunaSearch(
        problem, seed, sampler, allows=lambda costs: costs.fits & (costs.latency_ms <= slowest)
    )


def gaussian_process(problem: Problem, seed: int) -> OptunaSearch:
    """Optuna's Gaussian processes with expected hypervolume improvement, all objectives black boxes."""
    return OptunaSearch(problem, seed, optuna.samplers.GPSampler(seed=seed))
