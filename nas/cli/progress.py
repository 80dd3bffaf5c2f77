"""How long commands are shown while they work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nas.listener import Listener


class ProgressDisplay(Listener):
    """Lines on standard error, and on a terminal a bar below them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, transient=True)
        self.task = self.bar.add_task("", total=None)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def progress(self, what: str, done: int, total: int | None = None) -> None:
        if self.console.is_terminal:
            self.bar.start()
            self.bar.update(self.task, description=what, completed=done, total=total)

    def close(self) -> None:
        self.bar.stop()
