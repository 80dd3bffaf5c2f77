import pytest
from torch import nn

from nas.costs.identity import identity
from search_space.convolutions import DenseConvolution

SHAPE = (1, 4, 2, 8, 8)


def test_equal_blocks_at_the_same_shape_are_one():
    assert identity(nn.Conv3d(4, 4, 3), SHAPE) == identity(nn.Conv3d(4, 4, 3), SHAPE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nn.Conv3d(4, 4, 3), nn.Conv3d(4, 4, 3, padding=1)),
        (nn.Conv3d(4, 4, 3), nn.Conv3d(4, 4, 3, bias=False)),
        (nn.Sequential(nn.ReLU()), nn.Sequential(nn.SiLU())),
        # An attribute that no extra_repr shows.
        (DenseConvolution(4, 4, 3, causal=True), DenseConvolution(4, 4, 3, causal=False)),
    ],
)
def test_different_blocks_differ(one, other):
    assert identity(one, SHAPE) != identity(other, SHAPE)


def test_shapes_tell_blocks_apart():
    assert identity(nn.ReLU(), SHAPE) != identity(nn.ReLU(), (1, 4, 2, 8, 16))


def test_an_attribute_without_a_value_of_its_own_is_refused():
    block = nn.ReLU()
    block.hook = lambda tensor: tensor
    with pytest.raises(TypeError, match="hook"):
        identity(block, SHAPE)
