"""What designs' quality is likely to be, from those trained so far: a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from gpytorch.mlls import ExactMarginalLogLikelihood


@dataclass(frozen=True)
class Predicted:
    """Normal distributions of the noise-free quality of N designs: mean and deviation, each [N]."""

    mean: np.ndarray
    deviation: np.ndarray


class QualityModel:
    """A Gaussian process over designs' features, its noise learnt."""

    def __init__(self, features: np.ndarray, quality: np.ndarray) -> None:
        """Fits it.

        Args:
            features: of the trained designs [n, F].
            quality: that their trainings reached [n].
        """
        inputs, targets = torch.from_numpy(features), torch.from_numpy(quality)[:, None]
        self._model = SingleTaskGP(
            inputs,
            targets,
            input_transform=Normalize(inputs.shape[1]),
            outcome_transform=Standardize(1),
        )
        fit_gpytorch_mll(ExactMarginalLogLikelihood(self._model.likelihood, self._model))

    def predict(self, features: np.ndarray) -> Predicted:
        """The quality of designs with these features, [N, F]."""
        with torch.no_grad():
            posterior = self._model.posterior(torch.from_numpy(features))
            return Predicted(
                posterior.mean.numpy()[:, 0], posterior.variance.clamp_min(1e-12).sqrt().numpy()[:, 0]
            )
