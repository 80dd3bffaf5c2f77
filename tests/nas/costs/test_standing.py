import pytest

from nas.costs import load_device
from nas.costs.ensemble import sampled
from nas.costs.hardware import hardware
from nas.costs.operations import ProgramBuilder
from nas.costs.roofline import operation_ms
from nas.costs.standing import coverage, unmeasured_ms

PROFILE = load_device("iphone-16-pro")
PHONE = sampled(PROFILE)


def convolution(channels, side, kind="convolution3d"):
    shape = (1, channels, 4, side, side)
    builder = ProgramBuilder(shape)
    flops = 54 * channels**2 * 4 * side**2
    (out,) = builder.add(kind, kind, [0], [shape], flops=flops, channels=(channels, channels))
    return builder.build(out)


def reasons(program):
    decoder = [("rank5", convolution(channels, 64)) for channels in (32, 64, 128)]
    measured = {"coverage": coverage([decoder], hardware(PROFILE))}
    profile = PROFILE.model_copy(update=measured)
    milliseconds = operation_ms(program.operations, PHONE.units["rank5"])
    found = unmeasured_ms(program, "rank5", milliseconds, profile)
    assert sum(found.values()) == pytest.approx(milliseconds[:, 0].sum() if found else 0)
    return list(found)


def test_what_was_measured_is_covered():
    assert reasons(convolution(48, 64)) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            convolution(64, 64, "transposed_convolution"),
            "transposed_convolution on rank5, which nothing",
        ),
        (convolution(8, 64), "convolution3d on rank5 with other channels than the 32 to 128 measured"),
        (convolution(320, 16), "convolution3d on rank5 with other channels than the 32 to 128 measured"),
        (convolution(96, 64), "convolution3d on rank5 with more than 62 channels that are no multiple of 64"),
        (convolution(64, 160), "convolution3d on rank5 on tensors beyond the 4 MB measured"),
    ],
)
def test_what_is_far_from_what_was_measured_says_why(program, reason):
    (found,) = reasons(program)
    assert found.startswith(reason)


def test_a_kind_that_took_next_to_no_time_was_not_measured():
    chain = [("rank5", convolution(64, 256)), ("rank5", convolution(64, 1, "pointwise_convolution"))]
    assert list(coverage([chain], hardware(PROFILE))["rank5"]) == ["convolution3d"]


def test_what_no_measurement_determined_is_not_measured_though_a_measured_decoder_has_it():
    shape = (1, 64, 4, 64, 64)
    builder = ProgramBuilder(shape)
    kind = "depthwise_convolution3d"
    (out,) = builder.add(kind, kind, [0], [shape], flops=2 * 7**3 * 64 * 4 * 64**2, channels=(1, 1))
    program = builder.build(out)
    profile = PROFILE.model_copy(update={"coverage": coverage([[("rank5", program)]], hardware(PROFILE))})
    milliseconds = operation_ms(program.operations, PHONE.units["rank5"])
    (reason,) = unmeasured_ms(program, "rank5", milliseconds, profile)
    assert reason.endswith("whose speed the measurements do not determine")
