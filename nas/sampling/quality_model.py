"""What designs' quality is likely to be, from those trained so far: a Gaussian process.

With ten to fifty trainings in a space of twenty parameters little can be learnt but main effects, and those
only if what stages have in common is shared. So the covariance is a sum of linear terms, one for each group
of features and with a variance of its own, and of one stationary term for what departs from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.optim.fit import fit_gpytorch_mll_scipy
from botorch.settings import validate_input_scaling
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import Kernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.means import ZeroMean
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.module import Module
from gpytorch.priors import NormalPrior

# Log-normal priors, as median and spread of the logarithm. Variances are in units of the variance of the
# trained designs' quality. `python benchmarks/quality_model.py` judges predictions on the table of trainings.
_NOISE = (0.37, 0.5)
_LINEAR = (0.22, 1.5)  # of each group
_DEPARTURES = (0.37, 1.5)
_LENGTH = (1.65, 0.7)  # of the stationary term, in features of which each group has unit variance
_FACTOR = (0.1, 1.0)  # of the factor, 1 in the mean, that differences of an earlier model come with here
_WEIGHT = 5  # trainings that an earlier model's spread of quality counts for

_STEPS = 60  # of the optimiser of these
_MOST_FITTED = 200  # trainings that they are fitted to, the latest


@dataclass(frozen=True)
class Predicted:
    """Normal distributions of the noise-free quality of N designs: mean and deviation, each [N]."""

    mean: np.ndarray
    deviation: np.ndarray


class _Covariance(Kernel):
    """One for the mean, a linear term a group and a stationary one, each of these with a variance learnt."""

    def __init__(self, group: torch.Tensor, variances: Sequence[tuple[float, float]]) -> None:
        """Begins at the medians of the priors.

        Args:
            group: number of each feature's group [F].
            variances: priors, of each group's and last of the stationary term's.
        """
        super().__init__()
        self.group = group
        for name, priors in (("log_variance", variances), ("log_length", [_LENGTH])):
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(len(priors), dtype=torch.float64)))
            _begin_at(self, name, priors)

    def forward(self, x1: torch.Tensor, x2: torch.Tensor, diag: bool = False, **params: Any) -> torch.Tensor:
        """Covariances [..., n, m] of features [..., n, F] and [..., m, F]; [..., n] of pairs for `diag`."""
        variance = self.log_variance.exp()
        weighted = x1 * variance[self.group]
        linear = (weighted * x2).sum(-1) if diag else weighted @ x2.mT
        length = self.log_length.exp()
        distance = self.covar_dist(x1 / length, x2 / length, diag=diag, square_dist=True)
        return 1 + linear + variance[-1] * torch.exp(-0.5 * distance)


class QualityModel:
    """A Gaussian process over designs' features, its noise learnt.

    Attributes:
        columns: how many features it takes.
    """

    def __init__(
        self,
        features: np.ndarray,
        group: np.ndarray,
        quality: np.ndarray,
        before: QualityModel | None = None,
    ) -> None:
        """Fits it.

        Args:
            features: of the trained designs [n, F].
            group: number of each feature's group [F].
            quality: that the trainings reached [n].
            before: a model of earlier trainings, by the first of the features. What it expects is expected
                here too, but for a shift, a factor and departures, which are learnt.
        """
        self._before = before
        self.columns = features.shape[1]
        groups = int(group.max()) + 1
        priors = [*[_LINEAR] * groups, _DEPARTURES]
        if before is None:
            self._scale = float(quality.std()) or 1.0
        else:
            group = np.append(group, groups)
            priors.insert(groups, _FACTOR)
            squares = len(quality) * quality.var() + _WEIGHT * before._scale**2
            self._scale = float(np.sqrt(squares / (len(quality) + _WEIGHT)))
        inputs, expected = self._inputs_of(features)
        self._centre = float((quality - self._scale * expected).mean())
        targets = torch.from_numpy((quality - self._centre) / self._scale - expected)
        noise = GaussianLikelihood(
            noise_constraint=GreaterThan(1e-4, transform=torch.exp, inv_transform=torch.log)
        ).double()
        _begin_at(noise.noise_covar, "raw_noise", [_NOISE])
        self._covariance = _Covariance(torch.from_numpy(group), priors)
        with validate_input_scaling(False):  # features are of unit variance by groups, not each in [0, 1]
            process = SingleTaskGP(
                inputs[-_MOST_FITTED:],
                targets[-_MOST_FITTED:, None],
                likelihood=noise,
                covar_module=self._covariance,
                mean_module=ZeroMean(),
                outcome_transform=None,
            )
        fit_gpytorch_mll_scipy(ExactMarginalLogLikelihood(noise, process), options={"maxiter": _STEPS})
        self._noise = noise.noise.detach()
        self._condition(inputs, targets)

    @property
    def noise(self) -> float:
        """Standard deviation of the quality of one design from training to training."""
        return float(self._noise.sqrt()) * self._scale

    def expect(self, features: np.ndarray) -> None:
        """Takes trainings of designs [m, F] as if they had reached what is expected of them."""
        inputs, _ = self._inputs_of(features)
        with torch.no_grad():
            targets = self._covariance(inputs, self._inputs).to_dense() @ self._weights
        self._condition(torch.cat([self._inputs, inputs]), torch.cat([self._targets, targets]))

    def predict(self, features: np.ndarray) -> Predicted:
        """The quality of designs with these features, [N, F].

        Each by itself: GPyTorch's own prediction makes the covariance of all with all.
        """
        inputs, expected = self._inputs_of(features)
        with torch.no_grad():
            cross = self._covariance(self._inputs, inputs).to_dense()
            mean = (cross.mT @ self._weights).numpy() + expected
            explained = torch.linalg.solve_triangular(self._factor, cross, upper=False).square().sum(0)
            variance = self._covariance(inputs, diag=True) - explained
        deviation = variance.clamp_min(1e-12).sqrt().numpy() * self._scale
        return Predicted(mean * self._scale + self._centre, deviation)

    def _inputs_of(self, features: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """The covariance's inputs, and what the earlier model expects in units of its own spread [N]."""
        if self._before is None:
            return torch.from_numpy(features), np.zeros(len(features))
        before = self._before
        mean = before.predict(features[:, : before.columns]).mean
        expected = (mean - before._centre) / before._scale
        return torch.from_numpy(np.column_stack([features, expected])), expected

    def _condition(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Sets the trainings that predictions go by, the covariance's parameters as they are."""
        self._inputs, self._targets = inputs, targets
        with torch.no_grad():
            covariance = self._covariance(inputs).to_dense()
            self._factor = torch.linalg.cholesky(covariance + self._noise * torch.eye(len(inputs)))
            self._weights = torch.cholesky_solve(targets[:, None], self._factor)[:, 0]


def _begin_at(module: Module, name: str, priors: Sequence[tuple[float, float]]) -> None:
    """Gives a logarithmic parameter of a module its priors, and sets it to their medians."""
    medians, spreads = torch.tensor(priors, dtype=torch.float64).T
    module.register_prior(f"{name}_prior", NormalPrior(medians.log(), spreads), name)
    with torch.no_grad():
        getattr(module, name).copy_(medians.log())
