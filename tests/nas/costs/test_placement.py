import pytest

from nas.costs import load_device
from nas.costs.hardware import hardware
from nas.costs.operations import ProgramBuilder
from nas.costs.placement import placed

PHONE = hardware(load_device("iphone-16-pro"))


@pytest.mark.parametrize(
    ("kind", "shape", "unit"),
    [
        ("convolution", (5, 4, 8, 8), "neural_engine"),
        ("elementwise", (5, 4, 8, 8), "neural_engine"),
        ("convolution", (1, 4, 5, 8, 8), "rank5"),  # rank 5
        ("convolution3d", (5, 4, 8, 8), "rank5"),
        ("convolution", (5, 4, 1, 65537), "rank5"),  # too long an axis
    ],
)
def test_a_block_stays_on_the_first_unit_that_takes_all_of_it(kind, shape, unit):
    builder = ProgramBuilder((5, 4, 8, 8))
    (first,) = builder.add("elementwise", "relu", [0], [(5, 4, 8, 8)])
    (out,) = builder.add(kind, kind, [first], [shape], flops=1, channels=(4, 4))
    assert placed(builder.build(out), PHONE) == unit
