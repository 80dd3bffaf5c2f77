"""Steps of something long: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY = 10  # seconds between two plain lines


class StepsDisplay:
    """Shows on standard error what is being done and how far it is, while it is entered."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None)
        self._what = ""
        self._said = time.monotonic()

    def __enter__(self) -> StepsDisplay:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:  # elsewhere it would leave an empty line
            self._bar.stop()

    def steps(self, what: str, done: int, total: int) -> None:
        """`done` of `total` steps of `what` are done."""
        if self._console.is_terminal:
            if what != self._what:
                self._bar.reset(self._task)
            self._bar.update(self._task, description=what, completed=done, total=total)
        elif time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            self._console.print(f"{what}: {done:,} of {total:,}", markup=False)
        self._what = what
