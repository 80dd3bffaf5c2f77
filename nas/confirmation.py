"""The designs that a search ends with, trained again: longer, and by seeds that the search didn't use.

The best of many short runs is partly the luckiest: a front is final only once its designs have done it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from nas.finalists import finalists
from nas.record import TRAINED, Record
from nas.run_directory import RunDirectory
from nas.search_error import GOES_ON, SearchError
from nas.settings import Settings
from nas.standing import designs
from nas.study import Study
from nas.watcher import Watcher
from nas.workers import Outcome, Progress, Task, TrainingError, WorkerLostError, Workers
from search_space.counting import plural

_SEEDS_FROM = 10_000  # beyond the study's own, from which a search counts up where it repeats a design

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Run:
    """One training that is to confirm a design."""

    number: int
    record: Record
    seed: int
    attempt: int = 1


@dataclass(frozen=True)
class Confirmation:
    """The end of one search.

    Attributes:
        study: that knows the designs, and keeps what confirms them.
        settings: how they are trained.
        workers: that train them.
        run_directory: where the files of their trainings go.
        watcher: hears how it goes.
    """

    study: Study
    settings: Settings
    workers: Workers
    run_directory: RunDirectory
    watcher: Watcher

    def run(self, count: int, deadline: float | None) -> None:
        """Confirms designs, as far as they aren't yet; what other mains are at is left to them.

        Args:
            count: of the designs, or fewer where fewer were trained.
            deadline: `time.monotonic()` after which no training is begun; None for no limit.

        Raises:
            SearchError: a training's files can't be written.
            KeyboardInterrupt: what is finished is kept.
        """
        chosen = finalists(designs(self.study.trials()), self.study.definition.objectives, count)
        runs = [run for number, record in chosen for run in self._missing(number, record)]
        if not runs:
            return
        self.watcher.say(self._expected(len(chosen), runs))
        self.watcher.begin(len(runs), 0)
        try:
            self._train(runs, deadline)
        finally:
            self.watcher.end()

    def _missing(self, number: int, record: Record) -> list[_Run]:
        steps = self.settings.of_confirmation().steps
        # Those of another length don't count.
        done = {one["seed"] for one in self.study.confirmation(number) if one["steps"] == steps}
        first = self.study.definition.seed + _SEEDS_FROM
        seeds = range(first, first + self.settings.confirmation.seeds)
        return [_Run(number, record, seed) for seed in seeds if seed not in done]

    def _expected(self, count: int, runs: Sequence[_Run]) -> str:
        """How long it will take, by what the same designs took in the search."""
        seconds = [run.record["seconds"] for run in runs]
        times = self.settings.confirmation.times
        total = sum(each["build"] + times * each["train"] + each["validate"] for each in seconds)
        steps = plural(self.settings.of_confirmation().steps, "step")
        minutes = total / min(self.workers.size, len(runs)) / 60
        return (
            f"confirming {plural(count, 'design')}: {plural(len(runs), 'training')} of {steps},"
            f" {minutes:.1f} min in all"
        )

    def _train(self, runs: list[_Run], deadline: float | None) -> None:
        waiting, under_way = list(runs), dict[Future[Outcome], _Run]()
        steps = self.settings.of_confirmation().steps
        while waiting or under_way:
            late = deadline is not None and time.monotonic() > deadline
            while waiting and not late and len(under_way) < self.workers.size:
                run = waiting.pop(0)
                taken = self.study.take_confirmation(run.number, steps, run.seed)
                if taken and any(
                    run.seed == missing.seed for missing in self._missing(run.number, run.record)
                ):
                    under_way[self._submit(run)] = run
            if not under_way:
                if waiting:
                    self.watcher.say(
                        f"out of time with {plural(len(waiting), 'training')} left of the confirmation"
                    )
                return
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                run = under_way.pop(future)
                try:
                    self._keep(run, future.result())
                except WorkerLostError as error:
                    self.watcher.say(f"{_name(run)}: {error}")
                    if run.attempt == 1:
                        waiting.insert(0, _Run(run.number, run.record, run.seed, attempt=2))
                except TrainingError as error:
                    logger.error("%s failed\n%s", _name(run), error.details)
                    self.watcher.say(f"{_name(run)} failed: {error.reason}")

    def _submit(self, run: _Run) -> Future[Outcome]:
        training = self.settings.of_confirmation()

        def hear(progress: Progress) -> None:
            self.watcher.step(run.number, progress.step, training.steps)

        return self.workers.submit(Task(run.number, run.record["config"], run.seed, training), hear)

    def _keep(self, run: _Run, outcome: Outcome) -> None:
        gained = {key: outcome.record[key] for key in ("metrics", "curve", "seconds")}
        steps = self.settings.of_confirmation().steps
        try:
            self.run_directory.write_confirmation(run.number, steps, run.seed, outcome.files)
        except OSError as error:
            raise SearchError(
                f"{_name(run)} can't be written to {self.run_directory.path} ({error.strerror}); {GOES_ON}"
            ) from None
        self.study.confirm(run.number, {"seed": run.seed, "steps": steps} | gained)
        self.watcher.finished(run.number, run.record | {"outcome": TRAINED} | gained, self.study.front())


def _name(run: _Run) -> str:
    return f"confirmation of trial {run.number} by seed {run.seed}"
