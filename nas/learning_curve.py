"""The learning curve of one run: PSNR on a few validation clips while it trains, and the pace it goes at."""

from __future__ import annotations

import time
from collections.abc import Callable

from nas.settings import TrainingSettings
from nas.training_step import EAGER_STEPS

Points = list[tuple[int, float]]


class LearningCurve:
    """Points spread evenly over a run, the last at its end.

    Attributes:
        points: `[step, PSNR in dB]` so far.
    """

    def __init__(self, settings: TrainingSettings, validation_clips: int) -> None:
        """Begins when the first step is about to be made.

        Args:
            settings: steps of the run, points of the curve and clips that a point is measured on.
            validation_clips: that the whole run is measured on at its end.
        """
        spread = settings.curve_points
        self.points: Points = []
        self._steps = settings.steps
        self._due = sorted({round(settings.steps * (i + 1) / spread) for i in range(spread)})
        self._points_at_end = validation_clips / min(settings.curve_clips, validation_clips)
        self._since = 0, time.perf_counter()  # steps done and the time, from where on the pace is taken
        self._pace = self._point = 0.0  # seconds of a step and of a point, by the latest

    def due(self, step: int) -> bool:
        """Whether a point is to be measured once `step` steps are done; called after each."""
        if step == EAGER_STEPS + 1:  # the first ones are slower, the more so where they are recorded
            self._since = step, time.perf_counter()
        return step in self._due

    def add(self, step: int, measure: Callable[[], float]) -> float:
        """Measures a point, in dB, and returns it.

        Args:
            step: the number of steps done, all of them finished on the device.
            measure: computes the PSNR.
        """
        began = time.perf_counter()
        before, when = self._since
        if step > before:
            self._pace = (began - when) / (step - before)
        self.points.append((step, measure()))
        ended = time.perf_counter()
        self._point = ended - began
        self._since = step, ended
        return self.points[-1][1]

    def seconds_left(self) -> float:
        """What the rest of the run and its validation would take, by its latest steps and latest point."""
        points = len(self._due) - len(self.points) + self._points_at_end
        return (self._steps - self._since[0]) * self._pace + points * self._point
