"""Results of operators on meta tensors, by a rule of shapes where that is enough.

PyTorch's own meta functions of elementwise operators, reductions, concatenations and resizes are written in
Python and take a few tenths of a millisecond each: most of the time of a trace. What has no rule here, or
doesn't look like what a rule is for, goes to PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch


def result(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What `func(*args, **kwargs)` gives on meta tensors: its shape and strides, values there are none."""
    rule = RULES.get(func.overloadpacket.__name__)
    made = rule(args) if rule is not None and not kwargs and _plain(args) else None
    return func(*args, **kwargs) if made is None else made


def _plain(args: Sequence[Any]) -> bool:
    """Whether every tensor among the arguments is a floating-point meta tensor of one and the same type."""
    tensors = [*(args[0] if isinstance(args[0], (list, tuple)) else args[:1]), *args[1:]]
    tensors = [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]
    return all(
        tensor.is_meta and tensor.is_floating_point() and tensor.dtype == tensors[0].dtype
        for tensor in tensors
    )


def _elementwise(args: Sequence[Any]) -> torch.Tensor | None:
    tensors = [argument for argument in args if isinstance(argument, torch.Tensor) and argument.dim() > 0]
    if len({tensor.dim() for tensor in tensors}) != 1:
        return None
    shape = tuple(max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True))
    for tensor in tensors:
        if tensor.shape == shape and 0 not in tensor.stride():
            # The strides are those of the first tensor that has the full shape.
            return torch.empty_strided(shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    return None


def _reduction(args: Sequence[Any]) -> torch.Tensor | None:
    if len(args) != 3 or args[2] is not True:
        return None
    dims = {dim % args[0].dim() for dim in args[1]}
    return args[0].new_empty([1 if i in dims else size for i, size in enumerate(args[0].shape)])


def _concatenation(args: Sequence[Any]) -> torch.Tensor | None:
    tensors, dim = args[0], args[1] if len(args) > 1 else 0
    if any(tensor.dim() != tensors[0].dim() for tensor in tensors):
        return None
    shape = list(tensors[0].shape)
    shape[dim] = sum(tensor.shape[dim] for tensor in tensors)
    made: torch.Tensor = tensors[0].new_empty(shape)
    return made


def _resize(args: Sequence[Any]) -> torch.Tensor | None:
    if args[1] is None:
        return None
    return args[0].new_empty([*args[0].shape[:2], *args[1]])


RULES: Mapping[str, Callable[[Sequence[Any]], torch.Tensor | None]] = {
    **dict.fromkeys(
        ("abs", "add", "clamp", "div", "exp", "maximum", "mul", "pow", "relu", "rsqrt", "sigmoid", "silu"),
        _elementwise,
    ),
    **dict.fromkeys(("sqrt", "sub", "tanh"), _elementwise),
    **dict.fromkeys(("amax", "mean", "sum"), _reduction),
    "cat": _concatenation,
    **dict.fromkeys(("upsample_bilinear2d", "upsample_nearest2d"), _resize),
}
