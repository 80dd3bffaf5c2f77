"""A long search in short: the real loop, sampler and storage, with trainings simulated by the surrogate.

    python benchmarks/soak.py
    python benchmarks/soak.py --trials 200 --storage postgresql+psycopg://USER@HOST/DATABASE

Four workers train at once, each training over in milliseconds, so that what is timed is all the rest. For
every tenth of the trainings a line is printed: trainings a second; how long a proposal takes, at the median;
how long all else takes a training, most of it the storage; the memory of the process. What grows down the
columns would slow down a long search. Quality is simulated (`benchmarks/surrogate`).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from surrogate.model import DEVICE, TEACHER, Surrogate, benchmark
from surrogate.rows import read, teachers

from nas.constraints import parse_constraints
from nas.definition import Definition
from nas.judging import Judge
from nas.loop import Loop
from nas.objectives import parse_objectives
from nas.record import Record
from nas.run_directory import RunDirectory
from nas.sampling.sampler import CostAwareSampler
from nas.settings import load_settings
from nas.study import Study
from nas.trial import Job
from nas.watcher import Watcher
from nas.workers import Outcome, Progress, Task
from search_space import DecoderConfig, SearchSpace
from search_space.design_arrays import canonical

WORKERS = 4
LINES, FEWEST = 10, 10  # lines, and trainings of each


class SimulatedWorkers:
    """Threads that ask the surrogate."""

    size = WORKERS

    def __init__(self, space: SearchSpace, surrogate: Surrogate) -> None:
        self._space, self._surrogate = space, surrogate
        self._threads = ThreadPoolExecutor(WORKERS)

    def submit(self, task: Task, on_progress: Callable[[Progress], None]) -> Future[Outcome]:
        """See `nas.workers.Workers`."""
        return self._threads.submit(self._train, task)

    def close(self) -> None:
        """See `nas.workers.Workers`."""
        self._threads.shutdown()

    def _train(self, task: Task) -> Outcome:
        config = DecoderConfig.from_dict(dict(task.config))
        design = canonical(self._space, self._space.positions(config)[None])[0]
        training = self._surrogate.train(design, task.seed)
        curve = [list(point) for point in training.curve]
        record: Record = {"outcome": "trained", "curve": curve, "seconds": {"train": training.seconds}}
        for step, psnr in training.curve[:-1]:
            if psnr < task.stop_below.get(step, -np.inf):
                left = training.seconds * (1 - step / training.curve[-1][0])
                stopped = {"step": step, "psnr": psnr, "seconds_left": left}
                return Outcome(record | {"outcome": "stopped", "curve": curve[:1], "stopped": stopped}, {})
        return Outcome(record | {"metrics": {"psnr": training.psnr}}, {"config.json": b"{}"})


class TimedSampler(CostAwareSampler):
    """Keeps how long each proposal took, s."""

    seconds: list[float]

    def sample_relative(self, *args: Any) -> dict[str, Any]:
        began = time.perf_counter()
        proposal = super().sample_relative(*args)
        self.seconds.append(time.perf_counter() - began)
        return proposal


class Meter(Watcher):
    """Prints a line whenever another tenth of the trainings is over."""

    def __init__(self, sampler: TimedSampler, budget: int) -> None:
        self._sampler, self._every = sampler, max(FEWEST, budget // LINES)
        self._over = 0
        self._began = time.perf_counter()
        print(f"{'trainings':>9}{'a second':>10}{'proposal':>12}{'the rest':>12}{'memory':>10}")

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        """See `nas.watcher.Watcher`."""
        self._over += record["outcome"] in ("trained", "stopped")
        if self._over % self._every or record["outcome"] not in ("trained", "stopped"):
            return
        elapsed = time.perf_counter() - self._began
        proposals, self._sampler.seconds = self._sampler.seconds, []
        rest = (elapsed - sum(proposals)) / self._every
        print(
            f"{self._over:>9}{self._every / elapsed:>10.2f}{statistics.median(proposals) * 1e3:>9.0f} ms"
            f"{rest * 1e3:>9.0f} ms{resident() / 1e6:>7.0f} MB",
            flush=True,
        )
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """See `nas.watcher.Watcher`."""
        print(text)


def resident() -> int:
    """Memory of this process, bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=2000, help="trainings")
    parser.add_argument("--storage", help="a database URL or journal file; SQLite by default")
    arguments = parser.parse_args()

    space, costs = benchmark()
    surrogate = Surrogate(space, costs.costs, read(space, teachers()[0]))

    def price(config: DecoderConfig) -> dict[str, Any]:
        priced = costs.costs(canonical(space, space.positions(config)[None]))
        names = ("params", "flops", "latency_ms", "fps", "peak_memory_bytes", "fits")
        return {name: getattr(priced, name)[0].item() for name in names} | {"source": "trace"}

    objectives, constraints = parse_objectives("psnr,latency_ms"), parse_constraints(("fits",))
    settings = load_settings("cpu")
    definition = Definition(
        teacher=TEACHER,
        weights={"kind": "surrogate", "source": None, "digest": "", "description": "simulated trainings"},
        footage="",
        device=DEVICE,
        device_digest="",
        resolution=(512, 512),
        frames=17,
        memory=None,
        preset="cpu",
        settings=settings.of_search(),
        seed=0,
        objectives=objectives,
        constraints=tuple(map(str, constraints)),
        space=space.to_dict(),
    )
    sampler = TimedSampler(space, costs.costs, objectives, constraints)
    sampler.seconds = []
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory(Path(folder), "soak")
        run.create()
        study = Study.open(arguments.storage or run.storage, "soak", definition)
        workers = SimulatedWorkers(space, surrogate)
        job = Job(run.material, None, TEACHER, definition.weights)
        with study.at_work(budget=arguments.trials):
            Loop(
                study=study,
                judge=Judge(study, space, price, constraints, job),
                settings=settings,
                workers=workers,
                run_directory=run,
                sampler=sampler,
                watcher=Meter(sampler, arguments.trials),
            ).run(arguments.trials, deadline=None)
        workers.close()


if __name__ == "__main__":
    main()
