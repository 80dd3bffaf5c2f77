"""Who hears how a full training goes."""

from __future__ import annotations


class Listener:
    """Hears it and says nothing; the command line's own say it on a terminal."""

    def say(self, text: str) -> None:
        """A line that matters to whoever waits."""

    def step(self, done: int, steps: int, loss: float) -> None:
        """So many of the optimiser's steps are done."""

    def close(self) -> None:
        """The training is over, however it ended."""
