"""How a search is shown while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from nas.cli.steps import StepsDisplay
from nas.record import STOPPED, TRAINED, Record
from nas.watcher import Watcher


class PlainDisplay(Watcher):
    """One line on standard error for everything that happens but the steps of a training."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.spent = self.budget = 0
        self._before: StepsDisplay | None = None

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def progress(self, what: str, done: int, total: int) -> None:
        if self._before is None:
            self._before = StepsDisplay().__enter__()
        self._before.steps(what, done, total)
        if done == total:
            self.end()

    def begin(self, budget: int, spent: int) -> None:
        self.budget, self.spent = budget, spent

    def count(self, spent: int) -> None:
        self.spent = spent

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        if record["outcome"] not in (TRAINED, STOPPED):
            self.say(f"trial {number} {record['outcome']}: {record['reason']}")
            return
        self.spent += 1
        if record["outcome"] == STOPPED:
            step, psnr = record["curve"][-1]
            came_to = f"stopped at step {step} with {psnr:.2f} dB"
        else:
            came_to = f"{record['metrics']['psnr']:.2f} dB"
        on_front = ", on the front" if number in dict(front) else ""
        self.say(
            f"[{self.spent}/{self.budget}] trial {number}: {came_to}, {record['costs']['latency_ms']:.0f} ms"
            f"{on_front} ({sum(record['seconds'].values()):.1f} s)"
        )

    def end(self) -> None:
        if self._before is not None:
            self._before.__exit__(None, None, None)
            self._before = None


class LiveDisplay(PlainDisplay):
    """A bar for the budget, a bar for each training under way, and the front so far."""

    def __init__(self) -> None:
        super().__init__()
        self.live: Live | None = None

    def begin(self, budget: int, spent: int) -> None:
        super().begin(budget, spent)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.bars = Progress(*columns, console=self.console)
        self.trainings = self.bars.add_task("trainings", total=budget, completed=spent)
        self.running: dict[int, TaskID] = {}
        self.live = Live(self.bars, console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def step(self, number: int, done: int, steps: int) -> None:
        if number not in self.running:
            self.running[number] = self.bars.add_task(f"trial {number}", total=steps)
        self.bars.update(self.running[number], completed=done)

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        super().finished(number, record, front)
        if number in self.running:
            self.bars.remove_task(self.running.pop(number))
        self.bars.update(self.trainings, completed=self.spent)
        if self.live is not None:
            self.live.update(Group(self.bars, _so_far(front)))

    def end(self) -> None:
        super().end()
        if self.live is not None:
            self.live.stop()
            self.live = None


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
