"""How long our sampler takes to propose a design, against how many trainings it knows.

    python benchmarks/proposal_times.py

Trainings are of random designs of the wan space, their quality made up. Each time is the median of several
proposals by one process on one core; the first, which imports BoTorch and fits the scales, comes apart.
"""

import statistics
import time

import numpy as np
import optuna
import torch
from optuna.trial import create_trial

from nas.constraints import parse_constraints
from nas.costs import load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.objectives import parse_objectives
from nas.sampling.sampler import CostAwareSampler
from search_space import SearchSpace
from search_space.design_arrays import canonical, draw

COUNTS = (10, 50, 200, 500)
PROPOSALS = 5
NOISE = 0.4  # dB


def study_of(sampler: CostAwareSampler, space: SearchSpace, costs: SpaceCosts, count: int) -> optuna.Study:
    """A study of so many trainings."""
    rng = np.random.default_rng(count)
    drawn = canonical(space, draw(space, rng, 2 * count))
    beginning = np.array([space.positions(config) for config in sampler.beginning])
    designs = np.concatenate([beginning, np.unique(drawn, axis=0)])[:count]
    priced = costs.costs(designs)
    quality = 2 * np.log10(priced.flops) + rng.normal(0, NOISE, count)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    distributions = sampler.infer_relative_search_space(study, study.ask())
    for design, psnr, latency in zip(designs, quality, priced.latency_ms, strict=True):
        params = {one.name: one.values[at] for one, at in zip(space.asked, design, strict=True)}
        study.add_trial(create_trial(params=params, distributions=distributions, values=[psnr, latency]))
    return study


def main() -> None:
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = SearchSpace.preset("wan")
    costs = SpaceCosts(space, load_device("iphone-16-pro"))
    sampler = CostAwareSampler(
        space, costs.costs, parse_objectives("psnr,latency_ms"), parse_constraints(["fits"])
    )
    print("trainings    s a proposal    s the first")
    for count in COUNTS:
        study = study_of(sampler, space, costs, count)
        seconds = []
        for _ in range(1 + PROPOSALS):
            trial = study.ask()
            began = time.perf_counter()
            space.suggest(trial)
            seconds.append(time.perf_counter() - began)
        print(f"{count:9d} {statistics.median(seconds[1:]):15.2f} {seconds[0]:14.2f}")


if __name__ == "__main__":
    main()
