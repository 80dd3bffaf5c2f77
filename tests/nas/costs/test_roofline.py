from dataclasses import replace

import numpy as np
import pytest

from nas.costs import load_device
from nas.costs.hardware import hardware
from nas.costs.operations import KINDS, Operation, Program
from nas.costs.roofline import PRICES, chain_ms, price

PROFILE = load_device("iphone-16-pro")
PHONE = hardware(PROFILE)
GPU = PHONE.units["rank5"]
DISPATCH_MS = GPU.dispatch * 1e3
RATE = GPU.rates["convolution3d"]


def operation(kind, flops=0, elements=0, channels=(0, 0), rank=5):
    return Operation(kind, kind, (0,), (1,), flops, elements, 0, 0, channels, rank)


def test_every_kind_has_a_price():
    assert set(PRICES) == set(KINDS)


def test_a_convolution_that_fills_the_unit_runs_at_its_rate():
    wide = operation("convolution3d", flops=10**12, channels=(RATE.full_in, RATE.full_out))
    assert price([wide], GPU) == pytest.approx(1e15 / RATE.flop_s + DISPATCH_MS)


@pytest.mark.parametrize("narrow", [(0.5, 1), (1, 0.5)], ids=["in", "out"])
def test_narrow_channels_lower_the_rate_on_either_side(narrow):
    channels = (RATE.full_in * narrow[0], RATE.full_out * narrow[1])
    half = operation("convolution3d", flops=10**12, channels=channels)
    assert price([half], GPU) == pytest.approx(2e15 / RATE.flop_s + DISPATCH_MS)


def test_the_narrowest_run_at_the_vector_rate():
    narrow = operation("convolution3d", flops=10**12, channels=(4, 3))
    assert price([narrow], GPU) == pytest.approx(1e15 / GPU.vector + DISPATCH_MS)


def test_bytes_decide_where_work_is_little():
    elements = int(GPU.cache_bytes / 2)
    moved = operation("convolution3d", flops=1, elements=elements, channels=(64, 64))
    assert price([moved], GPU) == pytest.approx(2 * elements / GPU.cache * 1e3 + DISPATCH_MS)


def test_what_the_cache_does_not_hold_comes_from_memory():
    elements = int(GPU.cache_bytes / 2)
    within, beyond = (price([operation("copy", elements=n)], GPU) for n in (elements, 2 * elements))
    assert beyond - within == pytest.approx(2 * elements / GPU.memory * 1e3)


def test_weights_come_from_memory_however_few():
    weights = replace(operation("convolution3d", channels=(64, 64)), weights=1000)
    assert price([weights], GPU) == pytest.approx(2000 / GPU.memory * 1e3 + DISPATCH_MS)


def test_a_kind_may_have_a_bandwidth_of_its_own():
    slow, usual = (
        price([operation(kind, elements=10**8)], GPU) - DISPATCH_MS for kind in ("high_rank_permute", "copy")
    )
    assert slow / usual == pytest.approx(GPU.memory / GPU.bandwidths["high_rank_permute"])


def test_operations_follow_each_other():
    both = [operation("copy", elements=10**6), operation("elementwise", elements=10**7)]
    assert price(both, GPU) == pytest.approx(sum(price([one], GPU) for one in both))


def test_many_sets_of_figures_are_priced_at_once():
    path = "units.rank5.rates.convolution3d.tflop_s"
    wide = operation("convolution3d", flops=10**12, channels=(256, 256))
    program = Program((wide,), ((1, 2), (1, 2)), 1, (1,))
    many = chain_ms([program], hardware(PROFILE, {path: np.array([1.0, 2.0])}))
    apart = [chain_ms([program], hardware(PROFILE, {path: factor})) for factor in (1.0, 2.0)]
    assert many == pytest.approx(apart)


def test_blocks_on_different_units_pay_for_each_switch():
    shapes = ((1, 4, 8, 8), (1, 4, 8, 8))
    flat = Program((operation("convolution", 10**6, 256, (4, 4), rank=4),), shapes, 1, (1,))
    clip = Program((operation("convolution", 10**6, 256, (4, 4), rank=5),), shapes, 1, (1,))
    alone = chain_ms([flat], PHONE) + chain_ms([clip], PHONE)
    assert chain_ms([flat, clip], PHONE) == pytest.approx(alone + PHONE.switch * 1e3)


def unit(**changes):
    rate = replace(RATE, full_in=1.0, full_out=1.0, half_in=16.0, half_out=16.0)
    return replace(GPU, rates=GPU.rates | {"convolution3d": rate}, **changes)


def test_a_rate_without_an_edge_is_half_of_itself_at_its_half_channels():
    operations = [operation("convolution3d", flops=10**12, channels=(width, 10**9)) for width in (16, 10**9)]
    narrow, wide = (price([one], unit(dispatch=0.0)) for one in operations)
    assert narrow == pytest.approx(2 * wide)


def test_bytes_and_work_add_where_they_do_not_overlap():
    work = operation("convolution3d", flops=10**12, channels=(64, 64))
    both = replace(work, read=10**9)
    without = operation("convolution3d", elements=10**9, channels=(64, 64))
    one_by_one = unit(dispatch=0.0, overlaps=False)
    assert price([both], one_by_one) == pytest.approx(
        price([work], one_by_one) + price([without], one_by_one)
    )
    assert price([both], unit(dispatch=0.0)) < price([both], one_by_one)


def test_3d_convolutions_of_too_few_channels_run_at_the_vector_rate():
    narrow = operation("convolution3d", flops=10**12, channels=(15, 10**9))
    assert price([narrow], unit(dispatch=0.0, least_channels_3d=16)) == pytest.approx(1e15 / GPU.vector)
