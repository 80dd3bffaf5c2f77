"""The average of a run's weights that makes every step of it as good an end as any.

With a rate that falls to zero at the end of a run, only the end is of use: the first tenth of a long run is
no short run. With a constant rate it is, but the weights are as noisy as the rate is high. The average
undoes that. Here the weights after step i count as i**POWER, so that it spans the same share of a run of any
length (Karras et al., CVPR 2024, arXiv 2312.02696, section 3.1: with a power near 7 its standard deviation
is a tenth of the run).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nas.training_weights import Weights

POWER = 7


class Average:
    """The average of a run's weights after each step so far."""

    def __init__(self, weights: Weights) -> None:
        """Begins before the first step.

        Args:
            weights: of the run.
        """
        self._weights = weights
        self._kept = [kept.detach() for kept in weights.kept]
        self._averages = [kept.clone() for kept in self._kept]

    def add(self, step: int) -> None:
        """Takes in the weights after `step`, counted from 1."""
        torch._foreach_lerp_(self._averages, self._kept, 1 - (1 - 1 / step) ** (POWER + 1))

    def settle(self) -> None:
        """Makes the averages the weights."""
        torch._foreach_copy_(self._kept, self._averages)
        self._weights.refresh()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Makes the averages the weights for a while."""
        latest = [kept.clone() for kept in self._kept]
        self.settle()
        try:
            yield
        finally:
            torch._foreach_copy_(self._kept, latest)
            self._weights.refresh()
