"""Ask for a design, price it, refuse it or have it trained, tell the study; until the budget is spent.

Static costs are exact and nearly free, so every candidate is priced, and what breaks a constraint or was
tried before is never trained. Only trainings count against the budget. Any number of these loops may work on
one study, each with workers of its own; they agree by what they write to it (`nas.claims`, `nas.leases`).
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from optuna.trial import Trial

from nas import claims
from nas.judging import Judge
from nas.record import FAILED, STOPPED, Record, record_of
from nas.run_directory import RunDirectory
from nas.sampling.sampler import CostAwareSampler
from nas.search_error import GOES_ON, SearchError
from nas.settings import Settings
from nas.stopping import account, chance, forecast, thresholds
from nas.study import Study
from nas.watcher import Watcher
from nas.workers import Outcome, Progress, Task, TrainingError, WorkerLostError, Workers, training_error
from search_space.counting import plural

_FAILURES = 5  # in a row, after which the fault is hardly the designs'
_LOOK_S = 5.0  # between looks at what other mains have done
_REAP_S = 30.0  # between looks for those that died

logger = logging.getLogger(__name__)


@dataclass
class _Begun:
    """A trial of this main, from asking to telling; `task` once it is being trained."""

    trial: Trial
    record: Record
    task: Task | None = None
    points: int = 0  # of its curve, as far as the study knows them


@dataclass
class Loop:
    """The loop of one search.

    Attributes:
        study: asked and told.
        judge: prices the candidates, and refuses some.
        settings: what designs are trained with.
        workers: train the designs.
        run_directory: where the files of a trial go.
        sampler: proposes designs.
        stop_early: whether a training is ended that would only stay dominated.
        watcher: hears how it goes.
    """

    study: Study
    judge: Judge
    settings: Settings
    workers: Workers
    run_directory: RunDirectory
    sampler: CostAwareSampler
    stop_early: bool = True
    watcher: Watcher = field(default_factory=Watcher)

    def __post_init__(self) -> None:
        self._begun: dict[int, _Begun] = {}
        self._news: SimpleQueue[Progress | tuple[int, Future[Outcome]]] = SimpleQueue()
        self._failed = 0  # in a row
        self.study.sample_with(self.sampler)
        self._reaped = time.monotonic()

    def run(self, budget: int, deadline: float | None) -> None:
        """Trains until `budget` trainings are finished.

        Args:
            budget: trainings, earlier ones of the study included, and those of other mains.
            deadline: `time.monotonic()` after which no training is begun; None for no limit.

        Raises:
            SearchError: several trials in a row failed, or the storage or the disk did.
            KeyboardInterrupt: the trials that it interrupts are enqueued again.
        """
        self.watcher.begin(budget, claims.spent(self.study.trials()))
        try:
            while True:
                trials = self.study.trials()
                spent, under_way = claims.spent(trials), claims.under_way(trials)
                self.watcher.count(spent)
                late = deadline is not None and time.monotonic() > deadline
                over = self.sampler.exhausted or late
                if not over and len(self._begun) < self.workers.size and spent + under_way < budget:
                    self._ask(budget)
                elif self._begun or (not over and spent < budget):
                    self._listen()
                    if time.monotonic() - self._reaped > _REAP_S:
                        self._reap()
                else:
                    break
            self._reap()
            stopped = [record for record in map(record_of, trials) if record.get("outcome") == STOPPED]
            if stopped:
                self.watcher.say(account(stopped))
            if late and spent < budget:
                self.watcher.say(f"out of time after {spent} of {plural(budget, 'training')}")
            elif self.sampler.exhausted:
                self.watcher.say(f"every design was tried: {spent} trained")
        except BaseException:
            self._give_back()
            raise
        finally:
            self.watcher.end()

    def _ask(self, budget: int) -> None:
        """One candidate: refused at once, or given to a worker."""
        trial = self.study.ask()
        run = str(self.run_directory.path.resolve())
        record: Record = {"attempt": trial.user_attrs.get("attempt", 1), "run": run}
        begun = self._begun[trial.number] = _Begun(trial, record)
        try:
            config = self.judge.judge(trial, record, budget)
        except SearchError:
            raise
        except Exception as error:  # whatever goes wrong with one design, the search goes on
            self._fail(begun, training_error(error))
            return
        if config is None:
            self._finish(begun)
            return
        self.study.start(trial, record)
        begun.task = Task(
            trial.number, config.to_dict(), record["seed"], self.settings.training, self._stop_below(record)
        )
        self._submit(begun.task)

    def _stop_below(self, record: Record) -> dict[int, float]:
        """Where the curve of a training must be; a repeat goes on, or only lucky ones would count."""
        if not self.stop_early or record["seed"] != self.study.definition.seed:
            return {}
        return thresholds(self.study.finished(), record["costs"], self.study.definition.objectives)

    def _submit(self, task: Task) -> None:
        future = self.workers.submit(task, self._news.put)
        future.add_done_callback(lambda done: self._news.put((task.number, done)))

    def _listen(self) -> None:
        """Waits until a training is over, or others may have changed the study."""
        deadline = time.monotonic() + _LOOK_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                news = self._news.get(timeout=left)
            except Empty:
                return
            if isinstance(news, Progress):
                self._note(news)
            else:
                self._end(self._begun[news[0]], news[1])
                return

    def _note(self, progress: Progress) -> None:
        begun = self._begun[progress.number]
        steps = self.settings.training.steps
        self.watcher.step(progress.number, progress.step, steps)
        if len(progress.curve) != begun.points:
            begun.points = len(progress.curve)
            curve = [list(point) for point in progress.curve]
            self.study.progress(begun.trial, {"step": progress.step, "steps": steps, "curve": curve})

    def _end(self, begun: _Begun, future: Future[Outcome]) -> None:
        """A training is over, one way or another."""
        assert begun.task is not None
        number, record = begun.trial.number, begun.record
        try:
            outcome = future.result()
        except TrainingError as error:
            self._fail(begun, error)
        except WorkerLostError as error:
            if record["attempt"] > 1:
                self._fail(begun, TrainingError(f"{error}, for the second time"))
                return
            self.watcher.say(f"trial {number}: {error}; trying again")
            record["attempt"] = 2
            begun.points = 0
            self.study.start(begun.trial, record)
            self._submit(begun.task)
        else:
            seconds = record["seconds"] | outcome.record["seconds"]
            started = time.perf_counter()
            self._write(number, outcome)
            seconds["write"] = time.perf_counter() - started
            record |= {"reason": None} | outcome.record | {"seconds": seconds}
            if record["outcome"] == STOPPED:
                point = tuple(record["curve"][-1])
                objectives = self.study.definition.objectives
                finished = self.study.finished()
                record["stopped"]["chance"] = chance(finished, record["costs"], objectives, point)
                expected = forecast(finished, objectives, point)
                if expected is not None:
                    known = record["costs"] | expected
                    self.study.expect(begun.trial, [float(known[one.name]) for one in objectives])
            self._failed = 0
            self._finish(begun)

    def _write(self, number: int, outcome: Outcome) -> None:
        try:
            self.run_directory.write_trial(number, outcome.files)
        except OSError as error:
            raise SearchError(
                f"trial {number} can't be written to {self.run_directory.path} ({error.strerror}); {GOES_ON}"
            ) from None

    def _fail(self, begun: _Begun, error: TrainingError) -> None:
        logger.error("trial %d failed\n%s", begun.trial.number, error.details)
        begun.record |= {"outcome": FAILED, "reason": error.reason}
        self._finish(begun)
        self._failed += 1
        if self._failed == _FAILURES:
            raise SearchError(f"the last {self._failed} trainings all failed: {error.reason}")

    def _finish(self, begun: _Begun) -> None:
        number, record = begun.trial.number, begun.record
        if self.study.finish(begun.trial, record):
            self.watcher.finished(number, record, self.study.front())
        else:
            self.watcher.say(f"trial {number} was given up by others, who took this process for dead")
            self.run_directory.remove_trial(number)
        del self._begun[number]

    def _give_back(self) -> None:
        """Ends what was cut off, so that it is tried again; as far as the storage still takes it."""
        for begun in self._begun.values():
            try:
                self.study.give_back(begun.trial, begun.record)
            except Exception:  # then it is missed, and tried again, all the same
                logger.exception("trial %d could not be given back", begun.trial.number)
                return

    def _reap(self) -> None:
        self._reaped = time.monotonic()
        for number in self.study.reap():
            self.watcher.say(f"trial {number}: its process ended")
