"""The average of a run's weights."""

import pytest
import torch
from torch import nn

from nas.averaging import POWER, Average
from nas.training_weights import Weights


@pytest.mark.parametrize("length", [50, 500])
def test_it_spans_the_same_share_of_a_run_of_any_length(length: int) -> None:
    module = nn.Linear(1, 1).double()
    average = Average(Weights(module))
    for step in range(1, length + 1):
        module.weight.data.fill_(step / length)
        average.add(step)
    average.settle()
    # The mean of x where x in 0..1 counts as x**POWER.
    assert module.weight.item() == pytest.approx((POWER + 1) / (POWER + 2), abs=0.01)


def test_the_latest_weights_come_back() -> None:
    module = nn.Linear(2, 1, bias=False)
    average = Average(Weights(module))
    first = module.weight.detach().clone()
    average.add(1)
    module.weight.data.mul_(5)
    with average.in_place():
        torch.testing.assert_close(module.weight.detach(), first)
    torch.testing.assert_close(module.weight.detach(), 5 * first)
