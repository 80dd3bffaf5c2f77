import pytest
import torch
from torch import nn

from nas.costs.eager import trace_eager
from search_space.convolutions import SpatialConvolution
from search_space.decoder import ResidualBlock, rms_norm


def on_meta(make):
    with torch.device("meta"):
        return make()


class Norm(nn.Module):
    def forward(self, clip):
        return rms_norm(clip)


def kinds(module, input_shape, precision="fp32"):
    program = trace_eager(module, input_shape, precision)
    return [(operation.kind, operation.operator) for operation in program.operations]


def test_views_are_free_and_an_input_that_is_not_contiguous_is_copied():
    spatial = on_meta(lambda: SpatialConvolution(4, 6, 3, causal=False))
    assert kinds(spatial, (1, 4, 5, 8, 8)) == [("permute", "contiguous"), ("convolution", "convolution")]
    assert kinds(spatial, (1, 4, 1, 8, 8)) == [("convolution", "convolution")]


def test_a_block_gives_the_shape_that_the_next_one_meets():
    spatial = on_meta(lambda: SpatialConvolution(4, 6, 3, causal=False))
    assert trace_eager(spatial, (1, 4, 5, 8, 8), "fp32").output_shape == (1, 6, 5, 8, 8)


@pytest.mark.parametrize(("precision", "upcast"), [("fp16", [(64 + 2 * 64)]), ("fp32", [])])
def test_fp32_copies_in_fp16_count_as_the_bytes_they_make(precision, upcast):
    program = trace_eager(Norm(), (1, 4, 1, 4, 4), precision)
    copies = [operation.moved for operation in program.operations if operation.operator == "_to_copy"]
    assert copies[:1] == upcast


def test_flops_are_those_of_the_trace_and_the_block_is_left_as_it_was():
    block = on_meta(lambda: ResidualBlock(4, 8, "dw3", causal=False, norm_eps=1e-6))
    program = trace_eager(block, (1, 4, 3, 8, 8), "fp16")
    positions = 3 * 8 * 8
    depthwise = 2 * positions * (4 * 27 + 8 * 27 + 4)  # both convolutions, and the shortcut's
    pointwise = 2 * positions * (4 * 8 + 8 * 8 + 4 * 8)
    assert program.flops == depthwise + pointwise
    assert next(block.parameters()).dtype == torch.float32
