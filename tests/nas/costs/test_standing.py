import pytest

from nas.costs import load_device
from nas.costs.hardware import hardware
from nas.costs.operations import ProgramBuilder
from nas.costs.roofline import operation_ms
from nas.costs.standing import coverage, unmeasured_ms

PROFILE = load_device("iphone-16-pro")
PHONE = hardware(PROFILE)


def convolution(channels, side, kind="convolution3d"):
    shape = (1, channels, 4, side, side)
    builder = ProgramBuilder(shape)
    flops = 54 * channels**2 * 4 * side**2
    (out,) = builder.add(kind, kind, [0], [shape], flops=flops, channels=(channels, channels))
    return builder.build(out)


def reasons(program):
    measured = {"coverage": coverage([[convolution(32, 64), convolution(64, 64)]], PHONE)}
    profile = PROFILE.model_copy(update=measured)
    milliseconds = operation_ms(program.operations, PHONE.units["gpu"])[:, 0]
    found = unmeasured_ms(program, "gpu", milliseconds, profile)
    assert sum(found.values()) == pytest.approx(milliseconds.sum() if found else 0)
    return list(found)


def test_what_was_measured_is_covered():
    assert reasons(convolution(48, 64)) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            convolution(64, 64, "transposed_convolution"),
            "transposed_convolution on gpu, which nothing",
        ),
        (convolution(8, 64), "convolution3d on gpu with other channels than the 32 to 64 measured"),
        (convolution(256, 16), "convolution3d on gpu with other channels than the 32 to 64 measured"),
        (convolution(64, 128), "convolution3d on gpu on tensors beyond the 2 MB measured"),
    ],
)
def test_what_is_far_from_what_was_measured_says_why(program, reason):
    (found,) = reasons(program)
    assert found.startswith(reason)


def test_a_kind_that_took_next_to_no_time_was_not_measured():
    small = convolution(64, 1, "pointwise_convolution")
    assert list(coverage([[convolution(64, 256), small]], PHONE)["gpu"]) == ["convolution3d"]
