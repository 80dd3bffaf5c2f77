"""Operations of a block from Core ML: the converted and optimised ML Program that a phone would be given.

Conversion needs no Mac; running the program does. A block takes from half a second to several, so its
operations are kept on disk (`nas.costs.cache`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from nas.costs.operations import Program, ProgramBuilder, fuse
from nas.costs.trace import Work, convolution_work, matrix_product_work
from nas.lowering.conversion import convert


def coreml(block: nn.Module, *input_shapes: Sequence[int], outputs: int = 1) -> Program:
    """Operations of `block`, fused, as coremltools converts and optimises it for inputs of these shapes.

    The block's parameters may be meta tensors: values do not matter to the price, so all are filled with a
    constant. It gives one tensor, or a tuple of `outputs`.

    Raises:
        ConversionError: where coremltools can't convert the block.
        NotImplementedError: where the program has an operation that `OPERATIONS` lacks.
    """
    # A constant that is neither 0 nor 1, so that no pass removes a multiplication or an addition as idle.
    materialized = _copied_to_cpu(block, fill=0.01)
    inputs = {f"input_{i}": shape for i, shape in enumerate(input_shapes)}
    model = convert(materialized, inputs, [f"output_{i}" for i in range(outputs)])
    return _read(model._mil_program.functions["main"])


def _copied_to_cpu(block: nn.Module, fill: float) -> nn.Module:
    copied = copy.deepcopy(block).to_empty(device="cpu").eval()
    with torch.no_grad():
        for tensor in (*copied.parameters(), *copied.buffers()):
            tensor.fill_(fill)
    return copied


def _convolution(operation: Any) -> Work:
    return convolution_work(
        operation.x.shape,
        operation.weight.shape,
        operation.outputs[0].shape,
        int(operation.groups.val),
        transposed=operation.op_type == "conv_transpose",
    )


def _matrix_product(operation: Any) -> Work:
    # matmul may transpose x where it reads it; the transposed extent is then the one before last.
    transposed = operation.op_type == "matmul" and bool(operation.transpose_x.val)
    shape = operation.x.shape
    left = (*shape[:-2], shape[-1], shape[-2]) if transposed else shape
    return matrix_product_work(left, operation.outputs[0].shape)


def _always(work: Work) -> Callable[[Any], Work]:
    return lambda operation: work


ARITHMETIC = (
    "abs",
    "add",
    "batch_norm",
    "cast",
    "clip",
    "maximum",
    "mul",
    "pow",
    "real_div",
    "rsqrt",
    "sqrt",
    "square",
    "sub",
)
ACTIVATIONS = ("exp", "gelu", "relu", "sigmoid", "silu", "tanh")
REDUCTIONS = ("reduce_l2_norm", "reduce_max", "reduce_mean", "reduce_sum", "reduce_sum_square")
NORMALIZATIONS = ("instance_norm", "l2_norm", "layer_norm")
COPIES = ("concat", "pad", "stack", "tile")
PERMUTATIONS = ("pixel_shuffle", "transpose")
RESIZES = ("resize_bilinear", "resize_nearest_neighbor", "upsample_bilinear", "upsample_nearest_neighbor")
SLICES = ("slice_by_index", "slice_by_size", "split")

# The table: an operation of the ML Program to what it does. To add one, name it here.
OPERATIONS: Mapping[str, Callable[[Any], Work]] = {
    "conv": _convolution,
    "conv_transpose": _convolution,
    "linear": _matrix_product,
    "matmul": _matrix_product,
    **dict.fromkeys(ARITHMETIC + ACTIVATIONS, _always(Work("elementwise"))),
    **dict.fromkeys(REDUCTIONS, _always(Work("reduction"))),
    **dict.fromkeys(NORMALIZATIONS, _always(Work("normalization"))),
    **dict.fromkeys(PERMUTATIONS, _always(Work("permute"))),
    **dict.fromkeys(COPIES, _always(Work("copy"))),
    **dict.fromkeys(RESIZES, _always(Work("resize"))),
    **dict.fromkeys(SLICES, _always(Work("copy", reads_only_its_output=True))),
}

ALIASES = ("expand_dims", "identity", "reshape", "squeeze")  # these only name anew what is there


def _read(function: Any) -> Program:
    inputs = list(function.inputs.values())
    builder = ProgramBuilder(*(variable.shape for variable in inputs))
    ids = {variable: i for i, variable in enumerate(inputs)}
    for operation in function.operations:
        variables = _variables(operation)
        sources = [ids[variable] for variable in variables if variable in ids]
        if not sources:
            continue  # a constant, or what is computed from constants alone
        if operation.op_type in ALIASES:
            ids[operation.outputs[0]] = sources[0]
            continue
        if operation.op_type not in OPERATIONS:
            raise NotImplementedError(
                f"operation {operation.op_type} has no entry in nas/costs/coreml.py: add what it does"
            )
        work = OPERATIONS[operation.op_type](operation)
        outputs = builder.add(
            work.kind,
            operation.op_type,
            sources,
            [output.shape for output in operation.outputs],
            flops=work.flops,
            channels=work.channels,
            weights=sum(_elements(variable) for variable in variables if variable not in ids),
            reads_only_its_output=work.reads_only_its_output,
        )
        ids.update(zip(operation.outputs, outputs, strict=True))
    left = [builder.leave(ids[variable], variable.shape) for variable in function.outputs]
    return fuse(builder.build(*left))


def _variables(operation: Any) -> list[Any]:
    """Every variable that `operation` reads; coremltools nests those of a concatenation in a tuple."""
    found: list[Any] = []
    for value in operation.inputs.values():
        found += value if isinstance(value, (list, tuple)) else [value]
    return found


def _elements(variable: Any) -> int:
    """Elements of a constant tensor; scalars, and arguments such as strides and axes, cost nothing."""
    value = variable.val
    if not isinstance(value, np.ndarray) or value.ndim == 0 or value.dtype.kind != "f":
        return 0
    return int(value.size)
