"""Our own sampler as it is, told something beforehand, and with parts of it taken away."""

from __future__ import annotations

import numpy as np
from optuna.trial import Trial

from nas.sampling.prior import Prior
from nas.sampling.sampler import REPEAT_OF, CostAwareSampler
from samplers.optuna_searches import OptunaSearch
from samplers.problem import CONSTRAINTS, OBJECTIVES, Problem
from samplers.problem import Trial as Training


class CostAwareSearch(OptunaSearch):
    """`nas.sampling.sampler.CostAwareSampler`, which knows the costs and may train a design again."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        kind: type[CostAwareSampler] = CostAwareSampler,
        prior: Prior | None = None,
    ) -> None:
        sampler = kind(problem.space, problem.costs, OBJECTIVES, CONSTRAINTS, seed, prior)
        super().__init__(problem, seed, sampler)

    def accepts(self, design: np.ndarray, trial: Trial) -> bool:
        return REPEAT_OF in trial.user_attrs or super().accepts(design, trial)

    def values(self, trial: Training) -> list[float]:
        """Of the study's objectives, of which the sampler takes logarithms itself."""
        return [trial.training.psnr, trial.training.latency_ms]


def with_prior(problem: Problem, seed: int) -> CostAwareSearch:
    """Told the problem's prior beforehand."""
    configs = [problem.space.at(design) for design in problem.prior.designs]
    unknown = np.full(len(configs), np.nan)
    prior = Prior(configs, {"psnr": problem.prior.psnr, "ssim": unknown})
    return CostAwareSearch(problem, seed, prior=prior)
