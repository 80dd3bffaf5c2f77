"""Ask for a design, price it, refuse it or train it, tell the study; until the budget is spent.

Static costs are exact and nearly free, so every candidate is priced, and what breaks a constraint or was
tried before is never trained. Only trainings count against the budget.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from optuna.trial import Trial

from nas.candidates import Pricer, unseen
from nas.constraints import why_refused
from nas.study import FAILED, INTERRUPTED, REFUSED, REPEATED, TRAINED, Record, Study, record_of
from nas.trial import Training
from nas.watcher import Watcher
from search_space import SearchSpace, design_name
from search_space.conditions import Condition
from search_space.errors import UserError

_PATIENCE = 20  # candidates in a row that cost nothing, after which a random untried one is taken
_FAILURES = 5  # in a row, after which the fault is hardly the designs'

logger = logging.getLogger(__name__)


class SearchError(RuntimeError):
    """The search can't go on: the message says why, in one line."""


@dataclass
class Loop:
    """The loop of one search.

    Attributes:
        study: asked and told.
        space: what a trial's parameters mean.
        price: static costs of a design.
        constraints: on those costs.
        training: distils a design and writes the trial's folder.
        rng: draws designs where the sampler comes up with nothing new.
        watcher: hears how it goes.
    """

    study: Study
    space: SearchSpace
    price: Pricer
    constraints: tuple[Condition, ...]
    training: Training
    rng: np.random.Generator
    watcher: Watcher = field(default_factory=Watcher)

    def run(self, budget: int, deadline: float | None) -> None:
        """Trains until `budget` trainings are finished.

        Args:
            budget: trainings, earlier ones of the study included.
            deadline: `time.monotonic()` after which no training is begun; None for no limit.

        Raises:
            SearchError: several trials in a row failed.
            KeyboardInterrupt: the trial it interrupts is enqueued again.
        """
        free = failed = 0
        self.watcher.begin(budget, self.study.trained)
        try:
            while self.study.trained < budget:
                if deadline is not None and time.monotonic() > deadline:
                    self.watcher.say(f"out of time after {self.study.trained} of {budget} trainings")
                    return
                if free == _PATIENCE:
                    free = 0
                    config = unseen(self.space, self.price, self.constraints, self.study.known(), self.rng)
                    if config is None:
                        self.watcher.say(f"every design was tried: {self.study.trained} trained")
                        return
                    self.study.enqueue(self.space.parameters(config))
                record = self._trial()
                free = free + 1 if record["outcome"] in (REFUSED, REPEATED) else 0
                if record["outcome"] == FAILED:
                    failed += 1
                elif record["outcome"] == TRAINED:
                    failed = 0
                if failed == _FAILURES:
                    raise SearchError(f"the last {failed} trainings all failed: {record['reason']}")
        finally:
            self.watcher.end()

    def _trial(self) -> Record:
        """One candidate, from asking to telling."""
        trial = self.study.ask()
        record: Record = {}
        try:
            self._judge(trial, record)
        except KeyboardInterrupt:
            record |= {"outcome": FAILED, "reason": INTERRUPTED}
            self.study.retry(trial)
            raise
        except Exception as error:  # whatever goes wrong with one design, the search goes on
            logger.exception("trial %d failed", trial.number)
            record |= {"outcome": FAILED, "reason": _reason(error)}
        finally:
            self.study.finish(trial, record)
        front = [(best.number, record_of(best)) for best in self.study.front()]
        self.watcher.finished(trial.number, record, front)
        return record

    def _judge(self, trial: Trial, record: Record) -> None:
        """Fills in the record of a trial: what became of the design, and why."""
        started = time.perf_counter()
        try:
            config = self.space.suggest(trial)
        except UserError as error:
            record |= {"outcome": REFUSED, "reason": str(error)}
            return
        record |= {"hash": config.hash, "name": design_name(config), "config": config.to_dict()}
        earlier = self.study.known().get(config.hash)
        if earlier is not None:
            record |= {"outcome": REPEATED, "reason": f"the same design as trial {earlier}"}
            return
        record["costs"] = self.price(config)
        reason = why_refused(self.constraints, record["costs"])
        if reason is not None:
            record |= {"outcome": REFUSED, "reason": reason}
            return
        priced = time.perf_counter() - started
        self.study.start(trial, record)
        try:
            steps = self.training.settings.training.steps
            record |= self.training.train(
                trial.number, config, on_step=lambda done: self.watcher.step(trial.number, done, steps)
            )
        finally:
            if self.training.material.device.type == "cuda":
                torch.cuda.empty_cache()  # so that a design that ran out of memory leaves none behind
        record |= {"outcome": TRAINED, "reason": None}
        record["seconds"] = {"price": priced} | record["seconds"]


def _reason(error: Exception) -> str:
    """Why a training failed, in one line."""
    text = (str(error).strip().splitlines() or [""])[0]
    # The CPU's allocator raises a plain RuntimeError.
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in text:
        return f"out of memory: {text}"
    return f"{type(error).__name__}: {text}"
