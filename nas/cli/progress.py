"""How long commands are shown while they work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nas.training.listener import Listener


class TrainingDisplay(Listener):
    """Lines on standard error, and on a terminal a bar below them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, transient=True)
        self.task = self.bar.add_task("training", total=None)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def step(self, done: int, steps: int, loss: float) -> None:
        if not self.console.is_terminal:
            return
        self.bar.start()
        self.bar.update(self.task, description=f"loss {loss:.4f}", completed=done, total=steps)

    def close(self) -> None:
        self.bar.stop()
