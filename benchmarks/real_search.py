"""One of the compared searches with real trainings in place of simulated ones.

    python benchmarks/real_search.py "evolution as in Archai" --to evolution.csv

Designs are trained against the stand-in by the settings of the table (`benchmarks/trainings/cpu-
cosine.yaml`). After each training the table of all so far is written, with their hypervolume by the PSNR
that was measured. A training takes about 8 s on a core of its own. `benchmarks/real_searches.py` shows the
searches whose tables are in `benchmarks/samplers/real/`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from samplers.problem import Problem, Trial
from samplers.scoring import hypervolumes
from samplers.searches import BUDGET, CONTESTANTS, trials
from surrogate.model import TEACHER, Pricer, Simulated, benchmark
from surrogate.rows import SETTINGS

from nas.distil import Distilled, distil
from nas.inputs import fitting_clips
from nas.material import Material, prepare
from nas.settings import Settings, load_settings
from nas.teachers import load_teacher
from search_space import SearchSpace

DATA_SEED = 0  # of the clips, that of the table's trainings


@dataclass(frozen=True)
class Trainings:
    """Trains designs in the place of a surrogate; their quality is what was measured, noise included."""

    space: SearchSpace
    costs: Pricer
    material: Material
    settings: Settings

    def train(self, design: np.ndarray, seed: int) -> Simulated:
        """Trains a design [P]."""
        proxy = self.settings.proxy
        config = self.space.at(design).narrowed(proxy.width_factor, proxy.minimum_width)
        began = process_time()
        result = distil(config, self.material, self.settings.training, seed=seed)
        assert isinstance(result, Distilled)  # nothing was to be stopped
        seconds = process_time() - began
        psnr, latency = result.metrics["psnr"], float(self.costs(design[None]).latency_ms[0])
        return Simulated(psnr, psnr, tuple(result.curve), seconds, latency)


def table(space: SearchSpace, search: str, seed: int, done: list[Trial]) -> pd.DataFrame:
    """One row a training of a search, in their order."""
    psnr = np.array([trial.training.psnr for trial in done])
    latency = np.array([trial.training.latency_ms for trial in done])
    return pd.DataFrame(
        {
            "search": search,
            "seed": seed,
            "hash": [space.at(trial.design).hash for trial in done],
            "psnr": psnr,
            "latency_ms": latency,
            "seconds": [trial.training.seconds for trial in done],
            "hypervolume": hypervolumes(psnr, latency),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("search", choices=list(CONTESTANTS))
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = load_settings(SETTINGS)
    teacher = load_teacher(TEACHER, weights="stand-in", device="cpu")
    clips = fitting_clips(None, settings.clips, teacher, DATA_SEED)
    material = prepare(teacher, clips, with_features=settings.training.feature_weight > 0)
    space, costs = benchmark()
    problem = Problem(space, costs.costs, Trainings(space, costs.costs, material, settings), prior=None)
    search = CONTESTANTS[asked.search].begin(problem, asked.seed)
    done: list[Trial] = []
    for trial in trials(search, problem, asked.budget, asked.seed):
        done.append(trial)
        rows = table(space, asked.search, asked.seed, done)
        rows.to_csv(asked.to, index_label="trial")
        last = rows.iloc[-1]
        print(
            f"{len(done)}: {last['psnr']:.2f} dB, {last['latency_ms']:.0f} ms; {last['hypervolume']:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
