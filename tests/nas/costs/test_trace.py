import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nas.costs.trace import trace


def on_meta(make):
    with torch.device("meta"):
        return make()


@pytest.mark.parametrize(
    ("make", "input_shape", "kind", "flops", "channels"),
    [
        # Two per multiply-add: 2 x weights x output positions (transposed: input positions).
        (
            lambda: nn.Conv3d(4, 6, 3, padding=1),
            (1, 4, 2, 8, 8),
            "convolution3d",
            2 * 4 * 6 * 27 * 128,
            (4, 6),
        ),
        (
            lambda: nn.Conv3d(4, 6, (1, 3, 3), padding=(0, 1, 1)),
            (1, 4, 2, 8, 8),
            "convolution",
            2 * 4 * 6 * 9 * 128,
            (4, 6),
        ),
        (lambda: nn.Conv3d(4, 6, 1), (1, 4, 2, 8, 8), "pointwise_convolution", 2 * 4 * 6 * 128, (4, 6)),
        (
            lambda: nn.Conv3d(4, 4, 5, padding=2, groups=4),
            (1, 4, 2, 8, 8),
            "depthwise_convolution3d",
            2 * 4 * 125 * 128,
            (1, 1),
        ),
        (
            lambda: nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1),
            (1, 4, 8, 8),
            "transposed_convolution",
            2 * 4 * 6 * 16 * 64,
            (4, 6),
        ),
        (lambda: nn.Linear(4, 6), (10, 4), "matrix_product", 2 * 4 * 6 * 10, (4, 6)),
    ],
    ids=["dense", "within frames", "pointwise", "depthwise", "transposed", "linear"],
)
def test_flops_equal_a_hand_count(make, input_shape, kind, flops, channels):
    operations = trace(on_meta(make), input_shape).program.operations
    products = [operation for operation in operations if operation.flops]
    assert [(operation.kind, operation.flops, operation.channels) for operation in products] == [
        (kind, flops, channels)
    ]


def test_weights_and_activations_count():
    (operation,) = trace(on_meta(lambda: nn.Conv2d(3, 5, 3, padding=1)), (1, 3, 8, 8)).program.operations
    assert operation.weights == 3 * 5 * 9 + 5
    assert operation.read == 3 * 64
    assert operation.written == 5 * 64


class Permutations(nn.Module):
    def forward(self, clip):
        there_and_back = F.relu(clip.movedim(1, 2).movedim(2, 1))
        return there_and_back.movedim(1, 2).reshape(-1, *clip.shape[3:])


def test_permutations_count_once_and_not_where_they_cancel():
    operations = trace(Permutations(), (1, 4, 2, 8, 8)).program.operations
    assert [operation.kind for operation in operations] == ["elementwise", "permute"]


class RepeatedFrame(nn.Module):
    def forward(self, clip):
        return F.relu(clip.repeat_interleave(2, dim=2))


def test_repeated_frames_are_written_out():
    operations = trace(RepeatedFrame(), (1, 4, 2, 8, 8)).program.operations
    assert [operation.kind for operation in operations] == ["copy", "elementwise"]
    assert operations[1].read == 4 * 4 * 64


class Applied(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, clip):
        return self.function(clip)


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (lambda clip: F.interpolate(clip, scale_factor=2, mode="nearest"), ["resize"]),
        (lambda clip: F.interpolate(clip[0], scale_factor=2.0, mode="nearest-exact"), ["resize"]),
        (lambda clip: F.pad(clip, (1, 1, 1, 1, 0, 0), mode="reflect"), ["copy"]),
        (lambda clip: F.normalize(clip, dim=1), ["reduction", "elementwise", "elementwise"]),
        (lambda clip: clip.softmax(dim=1), ["normalization"]),
        (lambda clip: clip + torch.zeros_like(clip), ["elementwise"]),
    ],
    ids=["nearest in time", "nearest-exact", "reflection", "vector norm", "softmax", "constant"],
)
def test_operators_of_original_decoders_are_known(function, kinds):
    operations = trace(Applied(function), (1, 4, 2, 8, 8)).program.operations
    assert [operation.kind for operation in operations] == kinds


def test_a_batch_norm_with_known_statistics_is_an_affine_map():
    (operation,) = trace(on_meta(lambda: nn.BatchNorm3d(4).eval()), (1, 4, 2, 8, 8)).program.operations
    assert operation.kind == "elementwise"
    assert operation.written == operation.read == 4 * 2 * 64


class Sorts(nn.Module):
    def forward(self, clip):
        return clip.sort(dim=1).values


def test_an_unknown_operator_is_named_and_never_free():
    with pytest.raises(NotImplementedError, match="aten::sort"):
        trace(Sorts(), (1, 4, 2, 8, 8))


def test_fingerprints_tell_graphs_and_shapes_apart():
    relu, silu = nn.ReLU(), nn.SiLU()
    prints = [
        trace(relu, (1, 2, 4)),
        trace(silu, (1, 2, 4)),
        trace(relu, (1, 2, 5)),
        trace(nn.ReLU(), (1, 2, 4)),
    ]
    first, other_operator, other_shape, again = (block.fingerprint for block in prints)
    assert first == again
    assert len({first, other_operator, other_shape}) == 3
