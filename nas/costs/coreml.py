"""Operations of a block from Core ML: the converted and optimised ML Program that a phone would be given.

Conversion needs no Mac; running the program does. A block takes from half a second to several, so its
operations are kept on disk (`nas.costs.cache`).
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import nn

from nas.costs.operations import Program, ProgramBuilder, fuse
from nas.costs.trace import Work, convolution_work, matrix_product_work

DEPLOYMENT_TARGET = "iOS18"


# What a slice that keeps everything becomes, as of the first frame of one; coremltools does not know it.
_DECOMPOSITIONS = {torch.ops.aten.alias.default: lambda tensor: tensor}


class ConversionError(RuntimeError):
    """coremltools could not convert a block; the message says which operation stopped it."""


def coreml(block: nn.Module, input_shape: Sequence[int]) -> Program:
    """Operations of `block` as coremltools converts and optimises it: iOS 18, fp16, input [B, C, T, H, W].

    The block's parameters may be meta tensors: values do not matter to the price, so all are filled with a
    constant.

    Raises:
        ConversionError: where coremltools can't convert the block.
        NotImplementedError: where the program has an operation that `OPERATIONS` lacks.
    """
    # A constant that is neither 0 nor 1, so that no pass removes a multiplication or an addition as idle.
    materialized = _copied_to_cpu(block, fill=0.01)
    return _read(_converted(materialized, input_shape))


def versions() -> dict[str, str]:
    """Versions that decide what a conversion gives."""
    return {"coremltools": version("coremltools"), "torch": version("torch"), "target": DEPLOYMENT_TARGET}


def _copied_to_cpu(block: nn.Module, fill: float) -> nn.Module:
    copied = copy.deepcopy(block).to_empty(device="cpu").eval()
    with torch.no_grad():
        for tensor in (*copied.parameters(), *copied.buffers()):
            tensor.fill_(fill)
    return copied


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps progress bars and version warnings of torch.export and coremltools off our output."""
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _converted(block: nn.Module, input_shape: Sequence[int]) -> Any:
    """The ML Program's main function, as coremltools holds it (`coremltools.converters.mil.mil.Function`)."""
    with _quiet():
        import coremltools as ct

        try:
            example = torch.zeros(tuple(input_shape))
            with torch.no_grad():
                exported = torch.export.export(block, (example,)).run_decompositions(_DECOMPOSITIONS)
            model = ct.convert(
                exported,
                inputs=[ct.TensorType(name="x", shape=tuple(input_shape), dtype=np.float16)],
                outputs=[ct.TensorType(dtype=np.float16)],
                convert_to="mlprogram",
                minimum_deployment_target=ct.target[DEPLOYMENT_TARGET],
                compute_precision=ct.precision.FLOAT16,
                skip_model_load=True,
            )
        except Exception as error:  # coremltools and torch.export raise many kinds, with no common base
            raise ConversionError(f"{type(block).__name__} does not convert to Core ML: {error}") from error
        return model._mil_program.functions["main"]


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


ARITHMETIC = ("add", "cast", "clip", "mul", "pow", "real_div", "rsqrt", "sqrt", "square", "sub")
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
    (block_input,) = function.inputs.values()
    (block_output,) = function.outputs
    builder = ProgramBuilder(block_input.shape)
    ids = {block_input: 0}
    for operation in function.operations:
        variables = _variables(operation)
        inputs = [ids[variable] for variable in variables if variable in ids]
        if not inputs:
            continue  # a constant, or what is computed from constants alone
        if operation.op_type in ALIASES:
            ids[operation.outputs[0]] = inputs[0]
            continue
        if operation.op_type not in OPERATIONS:
            raise NotImplementedError(
                f"operation {operation.op_type} has no entry in nas/costs/coreml.py: add what it does"
            )
        work = OPERATIONS[operation.op_type](operation)
        outputs = builder.add(
            work.kind,
            operation.op_type,
            inputs,
            [output.shape for output in operation.outputs],
            flops=work.flops,
            channels=work.channels,
            weights=sum(_elements(variable) for variable in variables if variable not in ids),
            reads_only_its_output=work.reads_only_its_output,
        )
        ids.update(zip(operation.outputs, outputs, strict=True))
    return fuse(builder.build(ids[block_output]))


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
