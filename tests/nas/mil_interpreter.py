"""Runs a converted ML Program in torch: what `MLModel.predict` would give, which needs a Mac.

The table holds each operation that lowered decoders become, as coremltools' reference describes it
(apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html). Every operation computes in
fp32; in fp16 its result is then rounded, so that what overflows or vanishes between operations does so here.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.nn import functional as F


def run(model, inputs: Mapping[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Results by name, as fp32 tensors, of a converted model; every value between is rounded to `dtype`."""
    function = model._mil_program.functions["main"]
    values = {name: inputs[name].to(dtype).float() for name in function.inputs}
    assert all(values[name].shape == variable.shape for name, variable in function.inputs.items())

    def value(variable):
        if isinstance(variable, (list, tuple)):
            return [value(one) for one in variable]
        if variable is None or variable.name in values:
            return values.get(variable.name) if variable is not None else None
        return variable.val  # a constant, or what was computed from constants alone

    for operation in function.operations:
        if operation.op_type == "const" or operation.outputs[0].val is not None:
            continue
        result = OPERATIONS[operation.op_type](**{name: value(v) for name, v in operation.inputs.items()})
        output = operation.outputs[0]
        assert result.shape == output.shape, f"{operation.op_type}: {result.shape}, not {output.shape}"
        values[output.name] = result.to(dtype).float()
    return {output.name: values[output.name] for output in function.outputs}


def tensor(value) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.tensor(np.asarray(value, dtype=np.float32))


def _binary(function: Callable) -> Callable:
    return lambda x, y: function(tensor(x), tensor(y))


def _batch_norm(x, mean, variance, gamma=None, beta=None, epsilon=1e-5):
    optional = [None if value is None else tensor(value) for value in (gamma, beta)]
    return F.batch_norm(x, tensor(mean), tensor(variance), *optional, eps=float(epsilon))


def _spatial_padding(pad_type, pad, spatial_rank: int) -> list[int]:
    """In F.pad's order: last dimension first."""
    assert pad_type in ("valid", "custom")
    if pad_type == "valid":
        return [0] * 2 * spatial_rank
    pairs = np.asarray(pad).reshape(-1, 2)[::-1]
    return [int(amount) for pair in pairs for amount in pair]


def _conv(x, weight, bias=None, strides=None, pad_type="valid", pad=None, dilations=None, groups=1):
    rank = x.ndim - 2
    assert strides is None or set(strides) == {1}
    assert dilations is None or set(dilations) == {1}
    convolve = (F.conv2d, F.conv3d)[rank - 2]
    padded = F.pad(x, _spatial_padding(pad_type, pad, rank))
    return convolve(padded, tensor(weight), None if bias is None else tensor(bias), groups=int(groups))


def _conv_transpose(
    x,
    weight,
    bias=None,
    pad=None,
    output_shape=None,
    pad_type="valid",
    strides=None,
    dilations=None,
    groups=1,
):
    assert dilations is None or set(dilations) == {1}
    result = F.conv_transpose2d(
        x, tensor(weight), None if bias is None else tensor(bias), stride=tuple(strides), groups=int(groups)
    )
    # Padding of a transposed convolution cuts from its result.
    return F.pad(result, [-amount for amount in _spatial_padding(pad_type, pad, 2)])


def _slice(x, begin, end, stride=None, begin_mask=None, end_mask=None, squeeze_mask=None):
    assert squeeze_mask is None or not any(squeeze_mask)
    strides = [1] * x.ndim if stride is None else stride
    kept = []
    for axis in range(x.ndim):
        first = None if begin_mask is not None and begin_mask[axis] else int(begin[axis])
        last = None if end_mask is not None and end_mask[axis] else int(end[axis])
        kept.append(slice(first, last, int(strides[axis])))
    return x[tuple(kept)]


def _upsample(mode: str) -> Callable:
    def upsample(x, scale_factor_height, scale_factor_width, align_corners=False):
        factor = (float(scale_factor_height), float(scale_factor_width))
        corners = {"align_corners": bool(align_corners)} if mode == "bilinear" else {}
        return F.interpolate(x, scale_factor=factor, mode=mode, **corners)

    return upsample


def _expand_dims(x, axes):
    for axis in sorted(int(axis) for axis in axes):
        x = x.unsqueeze(axis)
    return x


OPERATIONS: Mapping[str, Callable] = {
    "abs": lambda x: x.abs(),
    "add": _binary(torch.add),
    "batch_norm": _batch_norm,
    "clip": lambda x, alpha, beta: x.clamp(float(alpha), float(beta)),
    "concat": lambda values, axis, interleave=False: torch.cat(values, int(axis)),
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "expand_dims": _expand_dims,
    "maximum": _binary(torch.maximum),
    "mul": _binary(torch.mul),
    "pixel_shuffle": lambda x, upscale_factor: F.pixel_shuffle(x, int(upscale_factor)),
    "real_div": _binary(torch.div),
    "reduce_max": lambda x, axes, keep_dims: x.amax(tuple(map(int, axes)), bool(keep_dims)),
    "reduce_mean": lambda x, axes, keep_dims: x.mean(tuple(map(int, axes)), bool(keep_dims)),
    "relu": lambda x: x.relu(),
    "reshape": lambda x, shape: x.reshape([int(size) for size in shape]),
    "rsqrt": lambda x, epsilon: (x + float(epsilon)).rsqrt(),
    "silu": lambda x: F.silu(x),
    "slice_by_index": _slice,
    "squeeze": lambda x, axes: x.squeeze(tuple(map(int, axes))),
    "sub": _binary(torch.sub),
    "transpose": lambda x, perm: x.permute([int(axis) for axis in perm]),
    "upsample_bilinear": _upsample("bilinear"),
    "upsample_nearest_neighbor": _upsample("nearest"),
}
