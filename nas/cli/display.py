"""How a search is shown while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from nas.record import TRAINED, Record
from nas.watcher import Watcher


class PlainDisplay(Watcher):
    """One line on standard error for everything that happens but the steps of a training."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.trained = self.budget = 0

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def begin(self, budget: int, trained: int) -> None:
        self.budget, self.trained = budget, trained

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        if record["outcome"] != TRAINED:
            self.say(f"trial {number} {record['outcome']}: {record['reason']}")
            return
        self.trained += 1
        on_front = ", on the front" if number in dict(front) else ""
        self.say(
            f"[{self.trained}/{self.budget}] trial {number}: {record['metrics']['psnr']:.2f} dB,"
            f" {record['costs']['latency_ms']:.0f} ms{on_front}"
            f" ({sum(record['seconds'].values()):.1f} s)"
        )


class LiveDisplay(PlainDisplay):
    """A bar for the budget, a bar for the training under way, and the front so far."""

    def begin(self, budget: int, trained: int) -> None:
        super().begin(budget, trained)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.console)
        self.trainings = self.progress.add_task("trainings", total=budget, completed=trained)
        self.steps = self.progress.add_task("steps", total=None)
        self.live = Live(Group(self.progress), console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def step(self, number: int, done: int, steps: int) -> None:
        self.progress.update(self.steps, description=f"trial {number}", completed=done, total=steps)

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        super().finished(number, record, front)
        self.progress.update(self.trainings, completed=self.trained)
        self.live.update(Group(self.progress, _so_far(front)))

    def end(self) -> None:
        self.live.stop()


def watcher() -> PlainDisplay:
    """The display that suits standard error."""
    return LiveDisplay() if Console(stderr=True).is_terminal else PlainDisplay()


def _so_far(front: list[tuple[int, Record]]) -> Table:
    table = Table("trial", "design", "PSNR", "ms", "fps", "M params", title="front so far")
    for number, record in front:
        costs = record["costs"]
        table.add_row(
            str(number),
            record["name"] or record["hash"],
            f"{record['metrics']['psnr']:.2f}",
            f"{costs['latency_ms']:,.0f}",
            f"{costs['fps']:.1f}",
            f"{costs['params'] / 1e6:.1f}",
        )
    return table
