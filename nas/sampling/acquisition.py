"""What a training is expected to be worth: how much better a front can be chosen after it than before.

Designs are chosen by what is expected of their quality. So a training is worth the gain of hypervolume of
the front of expectations, of which it moves one: that of the design trained, by what the training says of it
(the knowledge gradient of Frazier, Powell, Dayanik, INFORMS Journal on Computing 21(4), 2009, as far as it
concerns that design itself). Costs are known, so only the part of a point that is quality moves. A noisy
training says less than its result: it moves the expectation of a quality known up to s by as little as
s^2 / sqrt(s^2 + n^2), where n is the noise. One measure serves new designs and those trained before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nas.costs.tables.front import nondominated
from nas.sampling.improvement import boxes, expected_improvement
from nas.sampling.pool import Pool
from nas.sampling.quality_model import QualityModel

Encoder = Callable[[Pool], np.ndarray]
"""Features [N, F] of the designs of a pool, as the quality models take them."""


_REACH = 6  # deviations that no expectation is moved by
_SURE = 1e-9  # the deviation of what is as good as known


class Acquisition:
    """The worth of trainings, given models of the quality objectives.

    Quality objectives come before costs in all points, more being better.
    """

    def __init__(
        self, models: Sequence[QualityModel], features: Encoder, trained: Pool, reference: np.ndarray
    ) -> None:
        """Args:
        models: one for each quality objective.
        features: what they take of a pool.
        trained: different designs that were trained, or are being trained.
        reference: point that hypervolume is measured from, [Q + C].
        """
        self._models, self._features, self._reference = models, features, reference
        self._trained = trained
        self._mean, self._moved = self._expected(trained)
        self._points = np.hstack([self._mean, trained.known])
        self._boxes = boxes(self._points, reference)

    @property
    def front(self) -> np.ndarray:
        """Which of the trained designs none other is expected to dominate, [n]."""
        return nondominated(-self._points)

    def of_new(self, pool: Pool) -> np.ndarray:
        """The worth of training each of N designs that were never trained, [N]."""
        return expected_improvement(pool.known, *self._expected(pool), *self._boxes)

    def of_repeats(self) -> np.ndarray:
        """The worth of training each of the designs again, [n]."""
        worth = expected_improvement(self._trained.known, self._mean, self._moved, *self._boxes)
        for index in np.flatnonzero(self.front):  # what it adds to the others, rather than to itself
            one = slice(index, index + 1)
            # Of the others only what lies within its reach matters, and few of them decide that (While,
            # Bradstreet, Barone, IEEE Transactions on Evolutionary Computation 16(1), 2012).
            reach = self._points[index].copy()
            reach[: self._moved.shape[1]] += _REACH * self._moved[index]
            within = np.minimum(np.delete(self._points, index, axis=0), reach)
            others = boxes(within[nondominated(-within)], self._reference)
            after, now = (
                expected_improvement(self._trained.known[one], self._mean[one], moved, *others)[0]
                for moved in (self._moved[one], np.full_like(self._moved[one], _SURE))
            )
            worth[index] = after - now
        return worth

    def _expected(self, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
        """Expected qualities [N, Q], and the deviations of what a training would move them by [N, Q]."""
        features = self._features(pool)
        means, deviations = [], []
        for model in self._models:
            predicted = model.predict(features)
            means.append(predicted.mean)
            deviations.append(predicted.deviation**2 / np.hypot(predicted.deviation, model.noise))
        return np.column_stack(means), np.column_stack(deviations)
