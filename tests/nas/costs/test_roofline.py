from dataclasses import replace

import pytest

from nas.costs import load_device
from nas.costs.operations import KINDS, Operation
from nas.costs.roofline import PRICES, operation_ms, price

PROFILE = load_device("iphone-16-pro")
DISPATCH_MS = PROFILE.dispatch_us.value * 1e-3


def operation(kind, flops=0, size=0, channels=(0, 0)):
    return Operation(kind, kind, (0,), (1,), flops, size, 0, 0, channels, 5)


def test_every_kind_has_a_price():
    assert set(PRICES) == set(KINDS)


def test_a_wide_convolution_runs_at_the_array_rate():
    wide = operation("convolution", flops=10**12, channels=(256, 256))
    expected = 1 / PROFILE.array_tflop_s.value * 1e3 + DISPATCH_MS
    assert operation_ms(wide, PROFILE) == pytest.approx(expected)


def test_narrow_channels_lower_the_rate_on_both_sides_down_to_the_vector_rate():
    wide = operation("convolution", flops=10**12, channels=(64, 64))
    half = replace(wide, channels=(32, 64))
    narrow = replace(wide, channels=(4, 3))
    assert operation_ms(half, PROFILE) - DISPATCH_MS == pytest.approx(
        2 * (operation_ms(wide, PROFILE) - DISPATCH_MS)
    )
    assert operation_ms(narrow, PROFILE) == pytest.approx(1e3 / PROFILE.vector_tflop_s.value + DISPATCH_MS)


def test_bytes_decide_where_work_is_little():
    size = int(PROFILE.cache_mb.value * 1e6)
    moved = operation("convolution", flops=1, size=size, channels=(64, 64))
    bandwidth = PROFILE.cache_gb_s.value * 1e9 * PROFILE.bandwidth_share.value
    assert operation_ms(moved, PROFILE) == pytest.approx(size / bandwidth * 1e3 + DISPATCH_MS)


def test_what_the_cache_does_not_hold_comes_from_memory():
    size = int(PROFILE.cache_mb.value * 1e6)
    within, beyond = (operation_ms(operation("movement", size=n), PROFILE) for n in (size, 2 * size))
    bandwidth = PROFILE.memory_gb_s.value * 1e9 * PROFILE.bandwidth_share.value
    assert beyond - within == pytest.approx(size / bandwidth * 1e3)


def test_a_program_takes_the_sum_of_its_operations():
    both = [operation("movement", size=10**6), operation("elementwise", size=10**7)]
    assert price(both, PROFILE) == pytest.approx(sum(operation_ms(one, PROFILE) for one in both))
