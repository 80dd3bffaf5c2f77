"""Which trainings are worth their end: a design that would only stay dominated is stopped on the way.

What a candidate costs is known exactly, so the trained designs that cost no more in any respect are known
too: to join the front it must beat them in quality. How its quality will end is forecast from its learning
curve by the line that fits the finished trainings of the study, with a prediction interval (Draper and Smith,
Applied Regression Analysis, 3rd edition, section 3.1). A training is worth its end as long as the chance of
beating them is at least `CHANCE`. Since the line is conditional on the point of the curve, it isn't biased
by the trainings that were stopped, which never tell how they would have ended.

Errors of such a forecast have a heavy tail of designs that learn late: Student's distribution with `TAIL`
degrees of freedom expects as many wrong stops as there are, where the normal one expects a quarter
(`python benchmarks/stopping.py`, docs/search.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from moocore import is_nondominated
from scipy.special import stdtr, stdtrit

from nas.objectives import QUALITY, Objective
from search_space.counting import plural

Record = Mapping[str, Any]

CHANCE = 0.05  # of ending on the front, below which a training is stopped
TAIL = 3  # degrees of freedom
FINISHED = 8  # trainings before the first is stopped


def thresholds(
    finished: Sequence[Record], costs: Mapping[str, Any], objectives: Sequence[Objective]
) -> dict[int, float]:
    """What the curve of a candidate must reach at each step for the candidate to be worth its end.

    With several objectives of quality it is stopped only where it would be beaten in all of them at once by
    one design that costs no more; the chance is shared among them.

    Args:
        finished: records of trainings that came to their end, by the same settings.
        costs: of the candidate.
        objectives: of the study.

    Returns:
        PSNR in dB by step. Steps at which no curve tells enough of its end are left out, and all of them
        where too few trainings are finished or no finished design costs as little as the candidate.
    """
    qualities = _qualities(objectives)
    rivals = _rivals(finished, costs, objectives)
    asked: dict[int, float] = {}
    for step in _steps(finished) if rivals else ():
        lines = {name: _line(finished, step, name) for name in qualities}
        needed = max(
            min(
                line.threshold(rival[name], CHANCE / len(qualities)) if line else -math.inf
                for name, line in lines.items()
            )
            for rival in rivals
        )
        if needed > -math.inf:
            asked[step] = needed
    return asked


def chance(
    finished: Sequence[Record],
    costs: Mapping[str, Any],
    objectives: Sequence[Objective],
    point: tuple[int, float],
) -> float:
    """How probable it is that a candidate whose curve went through a point would have ended on the front.

    An upper bound where there are several objectives of quality.

    Args:
        finished: as for `thresholds`.
        costs: of the candidate.
        objectives: of the study.
        point: step and PSNR in dB.
    """
    qualities = _qualities(objectives)
    lines = {name: _line(finished, point[0], name) for name in qualities}
    chances = [
        sum(line.chance(point[1], rival[name]) if line else 1.0 for name, line in lines.items())
        for rival in _rivals(finished, costs, objectives)
    ]
    return min([1.0, *chances])


def forecast(
    finished: Sequence[Record], objectives: Sequence[Objective], point: tuple[int, float]
) -> dict[str, float] | None:
    """The qualities, by name, that a training whose curve went through a point is expected to end with.

    Args:
        finished: as for `thresholds`.
        objectives: of the study.
        point: step and PSNR in dB.

    Returns:
        None where too few trainings tell what follows that step.
    """
    expected = {}
    for name in _qualities(objectives):
        line = _line(finished, point[0], name)
        if line is None:
            return None
        expected[name] = line.mean + line.slope * (point[1] - line.at)
    return expected


def account(stopped: Sequence[Record]) -> str:
    """What stopping gained and what it may have cost, in one line.

    Args:
        stopped: records of the trainings that were stopped, with "seconds_left" and "chance" under "stopped".
    """
    seconds = sum(record["stopped"]["seconds_left"] for record in stopped)
    wrong = sum(record["stopped"]["chance"] for record in stopped)
    return (
        f"{plural(len(stopped), 'training')} stopped early: about {seconds / 60:.1f} min saved (estimated),"
        f" and {wrong:.2f} of them expected to have been worth their end"
    )


@dataclass(frozen=True)
class _Line:
    """Least squares of a quality at the end on the PSNR at one step of the curve.

    Attributes:
        slope: quality a dB.
        at: mean PSNR at the step, dB.
        mean: mean quality at the end.
        spread: sum of the squared distances from `at`.
        noise: standard deviation of the qualities about the line.
        trainings: that it was fitted to.
    """

    slope: float
    at: float
    mean: float
    spread: float
    noise: float
    trainings: int

    def chance(self, psnr: float, level: float) -> float:
        """That a curve with this point ends above a level of quality."""
        distance = psnr - self.at
        error = self.noise * math.sqrt(1 + 1 / self.trainings + distance**2 / self.spread)
        excess = self.mean + self.slope * distance - level
        return float(stdtr(TAIL, excess / error))

    def threshold(self, level: float, least: float) -> float:
        """The PSNR from which on the chance of ending above a level is at least `least`.

        Returns:
            Minus infinity where the slope is too uncertain for there to be one.
        """
        bound = self.noise * float(stdtrit(TAIL, 1 - least))
        certain = self.slope**2 - bound**2 / self.spread
        if self.slope <= 0 or certain <= 0:
            return -math.inf
        above = level - self.mean
        root = math.sqrt(above**2 / self.spread + certain * (1 + 1 / self.trainings))
        return self.at + (above * self.slope - bound * root) / certain


def _line(finished: Sequence[Record], step: int, quality: str) -> _Line | None:
    """The line of the trainings whose curve was measured at a step; None where they are too few or alike."""
    pairs = [
        (psnr, record["metrics"][quality])
        for record in finished
        for at, psnr in record["curve"]
        if at == step
    ]
    known = np.array(pairs, dtype=float).reshape(-1, 2)
    count = len(known)
    if count < FINISHED:
        return None
    at, mean = known.mean(axis=0)
    (spread, together), (_, total) = count * np.cov(known.T, bias=True)
    if spread <= 0:
        return None
    slope = together / spread
    noise = math.sqrt(max(total - slope * together, 1e-12) / (count - 2))
    return _Line(float(slope), float(at), float(mean), float(spread), noise, count)


def _steps(finished: Sequence[Record]) -> list[int]:
    """The steps at which curves are measured, without the last, where there is nothing left to save."""
    return sorted({step for record in finished for step, _ in record["curve"]})[:-1]


def _rivals(
    finished: Sequence[Record], costs: Mapping[str, Any], objectives: Sequence[Objective]
) -> list[dict[str, float]]:
    """The best qualities, by name, of the designs that cost no more; means of a design's trainings."""
    qualities = _qualities(objectives)
    designs: dict[str, list[Record]] = {}
    for record in finished:
        if all(_no_dearer(record["costs"], costs, objective) for objective in objectives):
            designs.setdefault(record["hash"], []).append(record["metrics"])
    if not designs:
        return []
    means = [[fmean(each[name] for each in metrics) for name in qualities] for metrics in designs.values()]
    best = np.array(means)[is_nondominated(means, maximise=True)]  # the others ask for no more
    return [dict(zip(qualities, map(float, values), strict=True)) for values in best]


def _qualities(objectives: Sequence[Objective]) -> list[str]:
    return [objective.name for objective in objectives if objective.name in QUALITY]


def _no_dearer(costs: Record, than: Record, objective: Objective) -> bool:
    if objective.name in QUALITY:
        return True
    if objective.direction == "minimize":
        return bool(costs[objective.name] <= than[objective.name])
    return bool(costs[objective.name] >= than[objective.name])
