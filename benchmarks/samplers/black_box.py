"""BoTorch's noisy expected hypervolume improvement, with both objectives as black boxes.

Daulton, Balandat & Bakshy, 2021, arXiv 2105.08195; in logarithms after Ament et al., 2023, arXiv 2310.20708.
"""

from __future__ import annotations

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms import Standardize
from botorch.optim import optimize_acqf_discrete
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import SumMarginalLogLikelihood

from nas.costs.tables.front import nondominated
from samplers.problem import Problem, Trial
from samplers.random_draws import untried
from samplers.scoring import REFERENCE
from search_space.design_arrays import canonical

_INITIAL = 10  # random designs, the first one included
_RANDOM = 500  # designs of the pool, beside those near the front
_SAMPLES = 64  # of the posterior
_ITERATIONS = 60  # of a fit, beyond which the likelihood hardly rises


class BlackBox:
    """Gaussian processes of PSNR and log latency, over random designs and neighbours of the front."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._rng = np.random.default_rng(seed)
        self._trials: list[Trial] = []
        self._tried: set[bytes] = set()

    def propose(self) -> np.ndarray:
        pool = untried(self._problem.drawn(self._rng)[0], self._tried)
        if len(self._trials) < _INITIAL:
            return pool[0]
        torch.manual_seed(self._seed + len(self._trials))
        pool = np.concatenate([pool[:_RANDOM], self._near_front()])
        known = self._encoded(np.array([trial.design for trial in self._trials]))
        reached = torch.tensor(
            [(trial.training.psnr, -np.log10(trial.training.latency_ms)) for trial in self._trials]
        )
        models = [
            SingleTaskGP(known, column[:, None].double(), outcome_transform=Standardize(1))
            for column in reached.T
        ]
        model = ModelListGP(*models)
        fit_gpytorch_mll(
            SumMarginalLogLikelihood(model.likelihood, model),
            optimizer_kwargs={"options": {"maxiter": _ITERATIONS}},
        )
        gain = qLogNoisyExpectedHypervolumeImprovement(
            model,
            ref_point=[REFERENCE.psnr, -np.log10(REFERENCE.latency_ms)],
            X_baseline=known,
            prune_baseline=True,
            sampler=SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=self._seed),
        )
        best, _ = optimize_acqf_discrete(gain, q=1, choices=self._encoded(pool), max_batch_size=256)
        return pool[(self._encoded(pool) == best).all(dim=1).nonzero()[0, 0]]

    def learn(self, trial: Trial) -> None:
        self._trials.append(trial)
        self._tried.add(trial.design.tobytes())

    def _near_front(self) -> np.ndarray:
        space = self._problem.space
        points = np.array([(-trial.training.psnr, trial.training.latency_ms) for trial in self._trials])
        front = [self._trials[at].design for at in np.flatnonzero(nondominated(points))]
        near = [space.positions(one) for design in front for one in space.neighbours(space.at(design))]
        near = np.unique(canonical(space, np.array(near)), axis=0)
        return untried(near[self._problem.costs(near).fits], self._tried)

    def _encoded(self, designs: np.ndarray) -> torch.Tensor:
        """Ordered parameters from 0 to 1, ones and zeros for each choice of the others: [N, P] to [N, F]."""
        columns = []
        for parameter, at in zip(self._problem.space.asked, designs.T, strict=True):
            count = len(parameter.choices)
            columns.append(
                at[:, None] / max(count - 1, 1) if parameter.ordered else at[:, None] == np.arange(count)
            )
        return torch.from_numpy(np.hstack(columns).astype(np.float64))
