"""How well our sampler's model tells the quality of designs never trained, against how many it knows.

    python benchmarks/quality_model.py

On the `cpu-cosine` trainings of the table that the package ships: the model is fitted to one training each
of randomly chosen designs and judged by all trainings of the others, for several choices. Columns:

- RMSE, dB, of a single training: noise between seeds included, so that no model reaches zero;
- z2, the mean square of errors over their predicted deviations: 1 where these are right;
- noise, dB, as learnt: the deviation from seed to seed;
- rho, Spearman's rank correlation.

"BoTorch's own" is its SingleTaskGP on the same features: a stationary covariance with a length for each.
"with a prior" knows all trainings of a part of the designs before, of which none is among the others.
"""

import argparse
import json
from collections import defaultdict

import numpy as np
import pandas as pd
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from gpytorch.mlls import ExactMarginalLogLikelihood
from scipy.stats import spearmanr

from nas.costs import load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.objectives import parse_objectives
from nas.sampling.encoding import encode_designs
from nas.sampling.pool import Candidates
from nas.sampling.prior import TABLE
from nas.sampling.quality_model import Predicted, QualityModel
from search_space import DecoderConfig, SearchSpace

COUNTS = (3, 10, 20, 50, 100)
CHOICES = 10
PRIOR = 0.4  # share of the designs that a prior has


class Stationary:
    """BoTorch's default model, with the scaling that it recommends."""

    def __init__(self, features: np.ndarray, quality: np.ndarray) -> None:
        inputs, targets = torch.from_numpy(features), torch.from_numpy(quality)[:, None]
        scaling = {"input_transform": Normalize(inputs.shape[1]), "outcome_transform": Standardize(1)}
        self._model = SingleTaskGP(inputs, targets, **scaling)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(self._model.likelihood, self._model))
        self.noise = float(self._model.likelihood.noise.detach().sqrt()) * quality.std(ddof=1)

    def predict(self, features: np.ndarray) -> Predicted:
        """As `QualityModel.predict`."""
        with torch.no_grad():
            posterior = self._model.posterior(torch.from_numpy(features))
        return Predicted(posterior.mean.numpy()[:, 0], posterior.variance.sqrt().numpy()[:, 0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    table = pd.read_parquet(TABLE, filters=[("preset", "==", "cpu-cosine")]).dropna(subset="psnr")
    table = table[table["weights_digest"] == table["weights_digest"].mode()[0]].reset_index(drop=True)
    space = SearchSpace.preset("wan")
    costs = SpaceCosts(space, load_device("iphone-16-pro"))
    candidates = Candidates(space, costs.costs, parse_objectives("psnr,latency_ms"), ())
    configs = [DecoderConfig.from_dict(json.loads(config)) for config in table["config"]]
    designs = np.array([space.positions(config) for config in configs])
    group = candidates.scales.group
    features = candidates.features(candidates.priced(designs))
    made_of = candidates.scales(encode_designs(space, designs))
    psnr = table["psnr"].to_numpy()
    hashes = table["hash"].to_numpy(str)
    different = np.unique(hashes)
    print(f"{len(psnr)} trainings of {len(different)} designs, deviation {psnr.std():.2f} dB")
    print(f"{'known':>5}  {'model':15} {'RMSE':>6} {'z2':>6} {'noise':>6} {'rho':>6}")
    for count in COUNTS:
        scores: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for seed in range(CHOICES):
            order = np.random.default_rng(seed).permutation(different)
            earlier, others = np.split(order, [int(PRIOR * len(order))])
            told = np.isin(hashes, others[:count]) & ~pd.Series(hashes).duplicated().to_numpy()
            asked = np.isin(hashes, others[count:])
            of_prior = np.isin(hashes, earlier)
            before = QualityModel(made_of[of_prior], group[: made_of.shape[1]], psnr[of_prior])
            models = {
                "ours": QualityModel(features[told], group, psnr[told]),
                "with a prior": QualityModel(features[told], group, psnr[told], before),
                "BoTorch's own": Stationary(features[told], psnr[told]),
            }
            for name, model in models.items():
                predicted = model.predict(features[asked])
                errors = psnr[asked] - predicted.mean
                z2 = np.mean(errors**2 / (predicted.deviation**2 + model.noise**2))
                rho = spearmanr(predicted.mean, psnr[asked]).statistic
                scores[name].append((float(np.sqrt(np.mean(errors**2))), float(z2), model.noise, float(rho)))
        for name, rows in scores.items():
            rmse, z2, noise, rho = np.mean(rows, axis=0)
            print(f"{count:5d}  {name:15} {rmse:6.2f} {z2:6.2f} {noise:6.2f} {rho:6.2f}")


if __name__ == "__main__":
    main()
