"""Rules of shapes give what PyTorch's meta functions give."""

import pytest
import torch

from nas.costs.meta import RULES, result

aten = torch.ops.aten


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


CLIP = meta(1, 8, 3, 4, 4)
CALLS = {
    "one tensor": (aten.silu.default, (CLIP,)),
    "with a number": (aten.add.Tensor, (CLIP, 1e-6)),
    "permuted": (aten.mul.Tensor, (CLIP.transpose(1, 2), meta(1, 3, 8, 4, 4))),
    "permuted second": (aten.mul.Tensor, (meta(1, 3, 8, 4, 4), CLIP.transpose(1, 2))),
    "repeated along an axis": (aten.mul.Tensor, (meta(1, 8, 3, 1, 1), CLIP)),
    "both repeated": (aten.sub.Tensor, (meta(3, 1, 4), meta(1, 8, 4))),
    "expanded": (aten.maximum.default, (meta(1, 4).expand(8, 4), meta(8, 4))),
    "expanded alone": (aten.rsqrt.default, (meta(1, 4).expand(8, 4),)),
    "no axes": (aten.div.Tensor, (CLIP, torch.tensor(2.0, device="meta"))),
    "fewer axes": (aten.mul.Tensor, (CLIP, meta(4, 4))),
    "two types": (aten.mul.Tensor, (CLIP, CLIP.half())),
    "a bound": (aten.clamp.default, (CLIP, 1e-3)),
    "mean": (aten.mean.dim, (CLIP, [1], True)),
    "mean of the last": (aten.mean.dim, (CLIP, [-1])),
    "largest": (aten.amax.default, (CLIP, [1], True)),
    "sum": (aten.sum.dim_IntList, (CLIP, [1, -1], True)),
    "joined": (aten.cat.default, ([CLIP, CLIP[:, :, :1]], 2)),
    "joined from the end": (aten.cat.default, ([CLIP, CLIP], -2)),
    "nearest": (aten.upsample_nearest2d.vec, (meta(3, 8, 4, 5), [8, 10], None)),
    "nearest by scale": (aten.upsample_nearest2d.vec, (meta(3, 8, 4, 5), None, [2.0, 2.0])),
    "bilinear": (aten.upsample_bilinear2d.vec, (meta(3, 8, 4, 5), [8, 10], False, None)),
    "no rule": (aten.pixel_shuffle.default, (meta(3, 8, 4, 5), 2)),
}


@pytest.mark.parametrize("call", CALLS)
def test_shape_strides_and_type_are_those_of_pytorch(call: str) -> None:
    function, arguments = CALLS[call]
    ours, theirs = result(function, arguments, {}), function(*arguments)
    assert (ours.shape, ours.stride(), ours.dtype) == (theirs.shape, theirs.stride(), theirs.dtype)
    assert ours.is_meta


def test_every_rule_is_tried() -> None:
    tried = {function.overloadpacket.__name__ for function, _ in CALLS.values()}
    assert {RULES[name] for name in tried & set(RULES)} == set(RULES.values())
