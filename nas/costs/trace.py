"""Operations of a block from PyTorch's own operators, dispatched on meta tensors: it takes milliseconds.

fvcore's tracer fails on meta tensors; its operator functions (`fvcore.nn.jit_handles`) don't, so a dispatch
mode calls those. What Core ML makes of a block (`nas.costs.coreml`) is close to this list: the time of each
block of a lowered design agrees within 1 % (tests/nas/costs/test_coreml.py).

A permutation counts as a copy where it stands, except that one right after another is merged with it: Core
ML's optimiser does that too, and in these blocks moves none through other operations to where it would
cancel. The same operation on the same activations counts once, as Core ML's optimiser leaves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from fvcore.nn.jit_handles import conv_flop_count
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nas.costs import meta
from nas.costs.operations import Program, ProgramBuilder

FLOPS_PER_MULTIPLY_ADD = 2


@dataclass(frozen=True)
class Work:
    """What one operator does, before its activations are counted: arguments of `ProgramBuilder.add`."""

    kind: str
    flops: int = 0
    channels: tuple[int, int] = (0, 0)
    reads_only_its_output: bool = False


Shape = Sequence[int]


def convolution_work(
    input_shape: Shape, weight_shape: Shape, output_shape: Shape, groups: int, transposed: bool
) -> Work:
    """Work of a convolution of any dimension: input [B, C, ...], weight as PyTorch and Core ML store it.

    FLOPs are fvcore's multiply-adds (the bias is not counted) times two.
    """
    multiply_adds = int(
        conv_flop_count(list(input_shape), list(weight_shape), list(output_shape), transposed)
    )
    inputs, outputs = input_shape[1] // groups, output_shape[1] // groups
    kernel = weight_shape[2:]
    over_time = len(kernel) == 3 and kernel[0] > 1
    if transposed:
        kind = "transposed_convolution"
    elif groups > 1 and inputs == 1:
        kind = "depthwise_convolution3d" if over_time else "depthwise_convolution"
    elif set(kernel) == {1}:
        kind = "pointwise_convolution"
    else:
        kind = "convolution3d" if over_time else "convolution"
    return Work(kind, multiply_adds * FLOPS_PER_MULTIPLY_ADD, (inputs, outputs))


def matrix_product_work(left: Shape, output_shape: Shape) -> Work:
    """Work of left [..., N, K] times [..., K, M] giving [..., N, M]."""
    multiply_adds = prod(output_shape) * left[-1]
    return Work("matrix_product", multiply_adds * FLOPS_PER_MULTIPLY_ADD, (left[-1], output_shape[-1]))


def _convolution(args: Sequence[Any], output_shape: Shape) -> Work:
    # aten::convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    return convolution_work(args[0].shape, args[1].shape, output_shape, args[8], args[6])


def _product(args: Sequence[Any], output_shape: Shape) -> Work:
    return matrix_product_work(args[0].shape, output_shape)


def _product_after_bias(args: Sequence[Any], output_shape: Shape) -> Work:
    return matrix_product_work(args[1].shape, output_shape)


def _always(work: Work) -> Callable[[Sequence[Any], Shape], Work]:
    return lambda args, output_shape: work


ARITHMETIC = ("abs", "add", "clamp", "clamp_min", "div", "maximum", "mul", "pow", "rsqrt", "sqrt", "sub")
ACTIVATIONS = ("exp", "gelu", "relu", "sigmoid", "silu", "tanh")
AFFINE = ("native_batch_norm",)  # in evaluation mode, where its statistics are known
REDUCTIONS = ("amax", "linalg_vector_norm", "mean", "sum")
NORMALIZATIONS = ("_safe_softmax", "_softmax", "native_group_norm", "native_layer_norm")
PERMUTATIONS = ("permute", "t", "transpose")
PADDINGS = ("constant_pad_nd", "reflection_pad3d", "replication_pad3d")
COPIES = ("cat", "clone", "index_select", "repeat", "stack", *PADDINGS)
RESIZES = ("_upsample_nearest_exact2d", "upsample_bilinear2d", "upsample_nearest2d", "upsample_nearest3d")
SLICES = ("select", "slice", "split", "split_with_sizes", "unbind")

# The table: an operator of PyTorch to what it does. To add one, name it here.
OPERATORS: Mapping[str, Callable[[Sequence[Any], Shape], Work]] = {
    "convolution": _convolution,
    "mm": _product,
    "bmm": _product,
    "addmm": _product_after_bias,
    **dict.fromkeys(ARITHMETIC + ACTIVATIONS + AFFINE, _always(Work("elementwise"))),
    **dict.fromkeys(REDUCTIONS, _always(Work("reduction"))),
    **dict.fromkeys(NORMALIZATIONS, _always(Work("normalization"))),
    **dict.fromkeys((*PERMUTATIONS, "pixel_shuffle"), _always(Work("permute"))),
    **dict.fromkeys(COPIES, _always(Work("copy"))),
    **dict.fromkeys(RESIZES, _always(Work("resize"))),
    **dict.fromkeys(SLICES, _always(Work("copy", reads_only_its_output=True))),
}

# These only name anew what is there. So does the copy that PyTorch makes after a permutation, which counted
# at the permutation; but one that writes out what `expand` repeated is a copy of its own.
ALIASES = ("_to_copy", "_unsafe_view", "alias", "clone", "detach", "expand", "squeeze", "unsqueeze", "view")

FILLED = "full"  # makes a tensor of one number, a constant of the program; PyTorch detaches it at once

CONSTANTS = ("new_ones", "new_zeros", "zeros_like")  # made in an activation's shape, not of its values


@dataclass(frozen=True)
class TracedBlock:
    """A block's operations as PyTorch runs them, none fused (`nas.costs.operations.fuse`); `fingerprint` is
    equal where the same graph is computed on the same shapes."""

    program: Program
    fingerprint: str


def trace(block: nn.Module, *input_shapes: Sequence[int]) -> TracedBlock:
    """Operations of `block`, whose parameters are meta tensors, on inputs of these shapes.

    It gives a clip or frames, or a tuple of frames and the states that it keeps.

    Raises:
        NotImplementedError: where the block uses an operator that `OPERATORS` lacks: none counts as free.
    """
    inputs = [torch.empty(tuple(shape), device="meta") for shape in input_shapes]
    recorder = _Recorder(inputs)
    with torch.no_grad(), recorder:
        outputs = block(*inputs)
    return TracedBlock(recorder.program(tensors_in([outputs])), recorder.fingerprint())


class _Recorder(TorchDispatchMode):
    """Files each operator that reads an activation; what is computed from weights alone is a weight."""

    def __init__(self, inputs: list[torch.Tensor]) -> None:
        super().__init__()
        self._builder = ProgramBuilder(*(tensor.shape for tensor in inputs))
        self._ids = {id(tensor): i for i, tensor in enumerate(inputs)}
        self._done: dict[str, tuple[int, ...]] = {}  # what operations without weights gave
        self._numbers: dict[int, str] = {}  # id() of a tensor of one number -> what made it
        self._permuted: dict[int, torch.Tensor] = {}  # id() of a permutation's result -> what it permutes
        self._alive: list[torch.Tensor] = list(inputs)  # an id() is unique only while its object lives
        self._graph = hashlib.sha256(repr([tuple(tensor.shape) for tensor in inputs]).encode())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = meta.result(func, args, kwargs or {})
        self._graph.update(f"{func} {self._described(args)} {self._described(kwargs or {})}\n".encode())
        tensors = tensors_in(args) + tensors_in(list((kwargs or {}).values()))
        inputs = [self._ids[id(tensor)] for tensor in tensors if id(tensor) in self._ids]
        name = func.overloadpacket.__name__
        if name == FILLED or (name == "detach" and id(args[0]) in self._numbers):
            self._numbers[id(result)] = self._numbers.get(id(args[0]), f"{name}{args}")
            self._alive.append(result)
        if inputs and name not in CONSTANTS:
            self._file(name, args, kwargs or {}, tensors, inputs, result)
        return result

    def _file(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        tensors: list[torch.Tensor],
        inputs: list[int],
        result: Any,
    ) -> None:
        if name in ALIASES and not (name == "clone" and self._builder.size(inputs[0]) != result.numel()):
            self._name(result, inputs[0])
            return
        if name in PERMUTATIONS:
            source = self._permuted.get(id(args[0]), args[0])
            inputs = [self._ids[id(source)]]
            if (result.shape, result.stride()) == (source.shape, source.stride()):
                self._name(result, inputs[0])
                return
            self._permuted[id(result)] = source
        if name not in OPERATORS:
            raise NotImplementedError(
                f"operator aten::{name} has no entry in nas/costs/trace.py: add what it does"
            )
        outputs = tensors_in([result])
        if name in SLICES and len(outputs) == 1 and outputs[0].numel() == self._builder.size(inputs[0]):
            self._name(outputs[0], inputs[0])  # all there is
            return
        if name.startswith("native_"):
            outputs = outputs[:1]  # the statistics that follow are for the backward pass
        work = OPERATORS[name](args, outputs[0].shape)
        weights = sum(tensor.numel() for tensor in tensors if id(tensor) not in self._ids)
        what = f"{name} {self._described(args)} {self._described(kwargs)}"
        is_known = all(id(tensor) in self._ids or id(tensor) in self._numbers for tensor in tensors)
        ids = self._done.get(what) if is_known else None  # of weights only the shapes are described
        if ids is None:
            ids = self._builder.add(
                work.kind,
                name,
                inputs,
                [output.shape for output in outputs],
                flops=work.flops,
                channels=work.channels,
                weights=weights,
                reads_only_its_output=work.reads_only_its_output,
            )
            self._done[what] = ids
        for output, i in zip(outputs, ids, strict=True):
            self._name(output, i)

    def _name(self, tensor: torch.Tensor, i: int) -> None:
        self._ids[id(tensor)] = i
        self._alive.append(tensor)

    def _described(self, value: Any) -> str:
        if isinstance(value, torch.Tensor):
            i = self._ids.get(id(value))
            if i is None:
                return self._numbers.get(id(value), f"w{tuple(value.shape)}")
            return f"a{i}{tuple(value.shape)}"
        if isinstance(value, (list, tuple)):
            return "[" + ",".join(self._described(item) for item in value) + "]"
        if isinstance(value, Mapping):
            return "{" + ",".join(f"{key}={self._described(item)}" for key, item in value.items()) + "}"
        return repr(value)

    def program(self, outputs: list[torch.Tensor]) -> Program:
        left = [self._builder.leave(self._ids[id(tensor)], tensor.shape) for tensor in outputs]
        return self._builder.build(*left)

    def fingerprint(self) -> str:
        return self._graph.hexdigest()


def tensors_in(values: Sequence[Any]) -> list[torch.Tensor]:
    """The tensors among an operator's arguments or results, also in lists within."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += tensors_in(value)
    return found
