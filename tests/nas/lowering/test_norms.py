"""Norms in fp16: the numbers of the plain ones wherever those fit, and finite ones everywhere."""

import copy

import pytest
import torch
from torch import nn

from nas.lowering.norms import ChannelLayerNorm, rms_norm
from search_space import decoder as trained


def norms(channels):
    """Each norm of ours as a module, with the one that is trained."""
    torch.manual_seed(0)
    layer_norm = trained.ChannelLayerNorm(channels, eps=1e-6)
    with torch.no_grad():
        layer_norm.weight.normal_()
        layer_norm.bias.normal_()
    return [(rms_norm, trained.rms_norm), (ChannelLayerNorm(layer_norm), layer_norm)]


@pytest.mark.parametrize("magnitude", [0, 1e-6, 1e-3, 1, 1e3, 1e6])
@pytest.mark.parametrize("shape", [(2, 48, 3, 4), (1, 48, 2, 3, 4)])
def test_in_fp32_they_are_the_trained_ones(shape, magnitude):
    x = torch.randn(shape) * magnitude
    for lowered, plain in norms(48):
        torch.testing.assert_close(lowered(x), plain(x), atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize("magnitude", [1e-7, 1e-4, 1, 300, 60000])
def test_in_fp16_they_stay_near_the_trained_ones_in_fp32(magnitude):
    x = ((torch.rand(2, 512, 3, 4) * 2 - 1) * magnitude).half()
    for lowered, plain in norms(512):
        torch.testing.assert_close(in_fp16(lowered, x).float(), plain(x.float()), atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("value", [0, 6e-8, 1e-4, 1, 300, 65504])
def test_equal_channels_give_finite_values_in_fp16(value):
    for x in (torch.full((1, 64, 2, 2), value).half(), torch.full((1, 64, 2, 2), -value).half()):
        for lowered, _ in norms(64):
            assert in_fp16(lowered, x).isfinite().all()


def in_fp16(norm, x):
    return (copy.deepcopy(norm).half() if isinstance(norm, nn.Module) else norm)(x)
