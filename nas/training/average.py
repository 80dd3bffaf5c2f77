"""An exponential moving average of a decoder's weights, which is what a training ends with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightAverage:
    """Weights `[...]` by name, in fp32, that follow those of a module.

    The decay grows with the steps up to what was asked for, `(1 + n) / (10 + n)` after n, so that the first
    weights, which are the worst, are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {
            name: weight.detach().float().clone() for name, weight in module.state_dict().items()
        }

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Takes in a module's weights after so many steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = module.state_dict()
        for name, weight in self.weights.items():
            weight.lerp_(current[name].float(), 1 - decay)
