"""What several workers gain on this machine: the same trainings by one, two, … one-thread CPU workers.

    python benchmarks/worker_scaling.py                          # 1 and 2 workers, 12 trainings each
    python benchmarks/worker_scaling.py --workers 1 2 4 --trainings 24

Random designs of the wan space are trained by the CPU preset through `nas.workers.local`, as a search does
it; the workers have started, and have loaded what they train on, before the clock does. Clips and latents are
random: they are made once in a search, so that only their shapes matter. Run it on an idle machine.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from random_material import random_material

from nas.material_file import cached_material
from nas.settings import load_settings
from nas.trial import Job
from nas.workers import Task
from nas.workers.local import LocalWorkers
from nas.workers.machine import cores, environments
from search_space import SearchSpace

TEACHER_CHANNELS = 384  # of Wan's block feature


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--trainings", type=int, default=12, help="of each row")
    parser.add_argument("--seed", type=int, default=0, help="of the designs")
    asked = parser.parse_args()
    settings = load_settings("cpu")
    space, rng = SearchSpace.preset("wan"), np.random.default_rng(asked.seed)
    designs = [space.sample(rng).to_dict() for _ in range(asked.trainings)]
    tasks = [Task(number, design, 0, settings.training) for number, design in enumerate(designs)]
    print(f"{cores()} cores, PyTorch {torch.__version__}, {asked.trainings} trainings each\n")
    print("| workers | s | of the first row | s in trainings |\n|---|---|---|---|")
    first = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "material.safetensors"
        cached_material(path, {}, lambda: random_material(settings.clips, TEACHER_CHANNELS))
        for workers in asked.workers:
            seconds, busy = _train(workers, tasks, Job(path, settings.proxy, "wan", {"description": "-"}))
            first = first or seconds
            print(f"| {workers} | {seconds:.1f} | {seconds / first:.0%} | {busy:.1f} |", flush=True)


def _train(count: int, tasks: list[Task], job: Job) -> tuple[float, float]:
    """Wall clock until all are done, and the sum of what each took, s."""
    log = job.material.with_name("log")
    with closing(LocalWorkers(job, environments(count, []), log)) as workers:
        few = tasks[0].training.model_copy(update={"steps": 2, "curve_points": 1})
        warm = [Task(0, tasks[0].config, 0, few)] * count
        for started in [workers.submit(task, lambda progress: None) for task in warm]:
            started.result()
        began = time.perf_counter()
        futures = [workers.submit(task, lambda progress: None) for task in tasks]
        busy = sum(sum(future.result().record["seconds"].values()) for future in futures)
        return time.perf_counter() - began, busy


if __name__ == "__main__":
    main()
