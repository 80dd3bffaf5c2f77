"""What a search says to its workers, and what they answer.

A search submits tasks and gets futures, so it doesn't know where its workers are: anything with a `size`, a
`submit` and a `close` will do. Everything that travels can be pickled, and is small but for a trial's files.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from search_space.errors import first_line

if TYPE_CHECKING:
    from nas.settings import TrainingSettings


@dataclass(frozen=True)
class Task:
    """One training.

    Attributes:
        number: of the trial that it is for.
        config: the full design, as `DecoderConfig.to_dict` gives it.
        seed: of the initial weights and of the order of clips.
        training: steps, batch, learning rate.
        stop_below: PSNR in dB by step of the curve; a training that is below it there is stopped.
    """

    number: int
    config: Mapping[str, Any]
    seed: int
    training: TrainingSettings
    stop_below: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        number: of the trial.
        step: steps done.
        curve: `(step, PSNR in dB)` so far.
        seconds: since the training began, by the worker's clock.
    """

    number: int
    step: int
    curve: tuple[tuple[int, float], ...]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes:
        record: what the trial's record gains: "outcome" (trained or stopped), "metrics", "curve", "seconds".
        files: of the trial's folder, by name.
    """

    record: dict[str, Any]
    files: Mapping[str, bytes]


class TrainingError(RuntimeError):
    """A training failed by itself, and would again.

    Attributes:
        reason: one line.
        details: the traceback of the worker.
    """

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason, details)  # both, or it could not be unpickled
        self.reason, self.details = reason, details


class WorkerLostError(RuntimeError):
    """A worker ended in the middle of a training: the message says how, in one line.

    Another has taken its place, and the task may be submitted again.
    """


class Workers(Protocol):
    """Whoever trains, as `concurrent.futures` would have it.

    Attributes:
        size: trainings that go on at the same time.
    """

    size: int

    def submit(self, task: Task, on_progress: Callable[[Progress], None]) -> Future[Outcome]:
        """Has a design trained.

        Args:
            task: what is trained.
            on_progress: hears of every step or of some, and of every point of the curve; called from another
                thread, so it must return at once.

        Returns:
            A future that holds the outcome, or raises `TrainingError` or `WorkerLostError`; `SearchError`
            where no worker is left, nor another to be had.
        """
        ...

    def close(self) -> None:
        """Ends the workers at once, whatever they are at."""
        ...


def training_error(error: Exception) -> TrainingError:
    """Says of the exception that is being handled why the training failed."""
    text = first_line(error)
    # The CPU's allocator raises a plain RuntimeError, the GPU's a class that only torch has.
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if out_of_memory or "can't allocate memory" in text:
        return TrainingError(f"out of memory: {text}", traceback.format_exc())
    return TrainingError(f"{type(error).__name__}: {text}", traceback.format_exc())
