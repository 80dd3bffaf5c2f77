"""Operations of a block as eager PyTorch runs it on a CPU or a CUDA device: one kernel after the other.

Unlike `nas.costs.trace`, which stands for what Core ML makes of a block, nothing is fused, an operator that
only gives a view costs nothing, and what PyTorch copies by itself counts: an input whose memory is not
contiguous, before convolutions, norms and resizes; the fp32 copies inside the fp16 norm, twice as many
elements. The block's input is taken to be contiguous. In a chain of two-dimensional blocks it is not always:
there that overstates a sum of blocks by some 2 %, 6 % at most, of 30 designs drawn for Wan.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nas.costs.operations import Program, ProgramBuilder
from nas.costs.trace import CONSTANTS, OPERATORS, Work, tensors_in

Precision = Literal["fp32", "fp16"]
_TYPES = {"fp32": torch.float32, "fp16": torch.float16}

# Where a kernel differs from what Core ML has under that name. A pixel shuffle writes with the strides of a
# resize, several times slower than copying frames.
EAGER_OPERATORS: Mapping[str, Work] = {
    "_to_copy": Work("elementwise"),
    "clone": Work("permute"),
    "contiguous": Work("permute"),
    "pixel_shuffle": Work("resize"),
}
NEED_CONTIGUOUS = (
    "_upsample_nearest_exact2d",
    "convolution",
    "native_group_norm",
    "native_layer_norm",
    "upsample_bilinear2d",
    "upsample_nearest2d",
    "upsample_nearest3d",
)


def trace_eager(block: nn.Module, input_shape: Sequence[int], precision: Precision) -> Program:
    """Operations of `block`, whose parameters are meta tensors, on an input of `input_shape`.

    Sizes are in elements of `precision`; a tensor of another type counts as many as its bytes make.

    Raises:
        NotImplementedError: where the block uses an operator that has no entry here nor in `nas.costs.trace`.
    """
    block = copy.deepcopy(block).to(_TYPES[precision])
    block_input = torch.empty(tuple(input_shape), device="meta", dtype=_TYPES[precision])
    recorder = _Recorder(block_input)
    with torch.no_grad(), recorder:
        output = block(block_input)
    return recorder.program(output)


class _Recorder(TorchDispatchMode):
    """Files each kernel that reads an activation; views keep the id of what they show."""

    def __init__(self, block_input: torch.Tensor) -> None:
        super().__init__()
        self._element_bytes = block_input.element_size()
        self._builder = ProgramBuilder(block_input.shape)
        self._ids = {_memory(block_input): 0}
        self._alive = [block_input]  # an address is unique only while its tensor lives

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = tensors_in([*args, *(kwargs or {}).values()])
        activations = [tensor for tensor in tensors if _memory(tensor) in self._ids]
        outputs = tensors_in([result])
        name = func.overloadpacket.__name__
        if activations and outputs and name not in CONSTANTS:
            in_place = name.endswith("_")
            if in_place or _memory(outputs[0]) not in {_memory(tensor) for tensor in tensors}:
                self._file(name.removesuffix("_"), args, tensors, outputs)
        return result

    def _file(
        self, name: str, args: Sequence[Any], tensors: list[torch.Tensor], outputs: list[torch.Tensor]
    ) -> None:
        inputs = [self._ids[_memory(tensor)] for tensor in tensors if _memory(tensor) in self._ids]
        if name in NEED_CONTIGUOUS and not args[0].is_contiguous():
            copied = self._builder.add("permute", "contiguous", inputs[:1], [self._stored(args[0])])
            inputs = [*copied, *inputs[1:]]
        if name not in EAGER_OPERATORS and name not in OPERATORS:
            raise NotImplementedError(
                f"operator aten::{name} has no entry in nas/costs/trace.py: add what it does"
            )
        if name.startswith("native_"):
            outputs = outputs[:1]  # the statistics that follow are for the backward pass
        work = EAGER_OPERATORS.get(name) or OPERATORS[name](args, outputs[0].shape)
        weights = [tensor for tensor in tensors if _memory(tensor) not in self._ids]
        ids = self._builder.add(
            work.kind,
            name,
            inputs,
            [self._stored(output) for output in outputs],
            flops=work.flops,
            channels=work.channels,
            weights=sum(tensor.numel() for tensor in weights),
            reads_only_its_output=work.reads_only_its_output,
        )
        for output, i in zip(outputs, ids, strict=True):
            self._ids[_memory(output)] = i
            self._alive.append(output)

    def _stored(self, tensor: torch.Tensor) -> tuple[int, ...]:
        """The tensor's shape, its first axis longer where its elements take more bytes."""
        if not tensor.dim():
            return ()
        return (tensor.shape[0] * tensor.element_size() // self._element_bytes, *tensor.shape[1:])

    def program(self, output: torch.Tensor) -> Program:
        return self._builder.build(self._builder.leave(self._ids[_memory(output)], output.shape))


def _memory(tensor: torch.Tensor) -> int:
    """What tensors that show the same memory have in common."""
    return int(tensor.untyped_storage()._cdata)
