"""Who hears how a search goes."""

from __future__ import annotations

from nas.record import Record


class Watcher:
    """Hears how a search goes and says nothing; the command line's own say it on a terminal."""

    def say(self, text: str) -> None:
        """A line that matters to whoever waits."""

    def progress(self, what: str, done: int, total: int) -> None:
        """`done` of `total` steps of something long before the loop are done."""

    def begin(self, budget: int, spent: int) -> None:
        """The loop begins, with so many of the budget's trainings done."""

    def count(self, spent: int) -> None:
        """So many of the budget's trainings are done by now, those of other mains included."""

    def step(self, number: int, done: int, steps: int) -> None:
        """The training of trial `number` has done `done` of its `steps` steps."""

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        """Trial `number` is over; `front` holds number and record of the trials on the front so far."""

    def end(self) -> None:
        """What was shown is over, however it ended; may be said again."""
