"""What the compared searches trained, one row a training, and how that is computed anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from samplers.problem import Problem, problem
from samplers.searches import ABLATIONS, CONTESTANTS, trials

TRAJECTORIES = Path(__file__).parent / "trajectories.parquet"
SEEDS = range(20)

_problem = cache(problem)  # of this process, since its tables take seconds to read


def rerun(names: Sequence[str], seeds: Sequence[int], processes: int, folder: Path) -> pd.DataFrame:
    """Runs searches that have no file in the folder yet, and joins all that have one there.

    Args:
        names: of the searches.
        seeds: of each.
        processes: at a time, of one thread each.
        folder: of the files, one a run, so that what was interrupted is gone on with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = [(name, seed) for seed in seeds for name in names]
    missing = [run for run in runs if not _file(folder, *run).exists()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_run, name, seed, folder): f"{name}, seed {seed}" for name, seed in missing}
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            print(f"{done} of {len(missing)}: {futures[future]}", file=sys.stderr, flush=True)
    done = sorted(runs, key=lambda run: names.index(run[0]))
    joined = pd.concat([pd.read_parquet(_file(folder, *run)) for run in done], ignore_index=True)
    return joined.astype(dict.fromkeys(("psnr", "quality", "latency_ms", "seconds"), np.float32))


def _run(name: str, seed: int, folder: Path) -> None:
    torch.set_num_threads(1)
    contestant = (CONTESTANTS | ABLATIONS)[name]
    given: Problem = _problem()
    rows = [
        {
            "search": name,
            "seed": seed,
            "trial": number,
            "design": "".join(map(str, trial.design)),
            "psnr": trial.training.psnr,
            "quality": trial.training.quality,
            "latency_ms": trial.training.latency_ms,
            "seconds": trial.training.seconds,
        }
        for number, trial in enumerate(trials(contestant.begin(given, seed), given, contestant.budget, seed))
    ]
    path = _file(folder, name, seed)
    pd.DataFrame(rows).to_parquet(path.with_suffix(".unfinished"))
    path.with_suffix(".unfinished").replace(path)


def _file(folder: Path, name: str, seed: int) -> Path:
    return folder / f"{sha256(name.encode()).hexdigest()[:8]}-{seed:02d}.parquet"
