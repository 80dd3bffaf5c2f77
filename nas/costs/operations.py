"""What a block does on the device, as a list of operations: the one form that both sources of costs produce.

A source (`nas.costs.trace`, `nas.costs.coreml`) reads its own graph and yields a `Program`; fusion,
placement, price and peak memory are computed from that alone, so they can't differ between sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, get_args

ComputeKind = Literal[  # what multiplies and adds, each kind at its own rate
    "convolution",
    "convolution3d",
    "pointwise_convolution",
    "depthwise_convolution",
    "depthwise_convolution3d",
    "transposed_convolution",
    "matrix_product",
]
ByteKind = Literal[  # what only passes over tensors, as fast as bytes move
    "elementwise",
    "reduction",
    "normalization",
    "permute",
    "high_rank_permute",
    "copy",
    "resize",
]
COMPUTE_KINDS: tuple[str, ...] = get_args(ComputeKind)
BYTE_KINDS: tuple[str, ...] = get_args(ByteKind)
KINDS = COMPUTE_KINDS + BYTE_KINDS

HIGHEST_COMMON_RANK = (
    5  # Core ML has no tensor beyond it; what permutes one in PyTorch is a "high_rank_permute"
)


@dataclass(frozen=True)
class Operation:
    """One operation of a program. Sizes are in elements: how many bytes one takes, the device's profile says.

    Attributes:
        kind: one of `KINDS`. "convolution3d" and "depthwise_convolution3d" see more than one frame,
            "pointwise_convolution" sees one place; "convolution" is what is left, grouped ones too. "copy"
            joins, cuts, repeats or pads; "high_rank_permute" permutes more than five axes.
        operator: the source's own name for it, or several joined by "+" where fusion merged them.
        inputs: ids of the activations it reads (indices into `Program.shapes`), each once.
        outputs: ids of the activations it writes.
        flops: two per multiply-add of convolutions and matrix products; 0 for everything else.
        read: elements of activations it reads; fewer than its inputs hold where it reads a slice of them.
        written: elements of activations it writes.
        weights: elements of constants it reads.
        channels: input and output channels of one group, for convolutions and matrix products; else (0, 0).
        rank: the highest rank among what it reads and writes.
    """

    kind: str
    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    flops: int
    read: int
    written: int
    weights: int
    channels: tuple[int, int]
    rank: int

    @property
    def moved(self) -> int:
        """All elements it moves: activations read and written, and weights."""
        return self.read + self.written + self.weights


@dataclass(frozen=True)
class Program:
    """The operations of one block, in order.

    Attributes:
        operations: in the order in which they run.
        shapes: shape of every activation by its id; the block's inputs come first.
        inputs: how many inputs the block has: the clip or its frames, then states that it keeps.
        outputs: ids of what it gives, in the same order.
    """

    operations: tuple[Operation, ...]
    shapes: tuple[tuple[int, ...], ...]
    inputs: int
    outputs: tuple[int, ...]

    @property
    def flops(self) -> int:
        """Two per multiply-add of convolutions and matrix products."""
        return sum(operation.flops for operation in self.operations)

    @property
    def moved(self) -> int:
        """Elements moved by all operations."""
        return sum(operation.moved for operation in self.operations)

    @property
    def states_given(self) -> int:
        """Elements of the states that the block reads."""
        return sum(prod(shape) for shape in self.shapes[1 : self.inputs])

    @property
    def states_left(self) -> int:
        """Elements of the states that the block writes."""
        return sum(prod(self.shapes[i]) for i in self.outputs[1:])

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the block's first output, [B, C, T, H, W] or [T, C, H, W]."""
        return self.shapes[self.outputs[0]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `from_dict` reads it back."""
        return {
            "shapes": [list(shape) for shape in self.shapes],
            "inputs": self.inputs,
            "outputs": list(self.outputs),
            "operations": [vars(operation) for operation in self.operations],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Program:
        """Reads what `to_dict` wrote.

        Raises:
            KeyError, TypeError: where a key is missing or unknown.
        """
        rows: list[dict[str, Any]] = [
            {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
            for row in data["operations"]
        ]
        operations = tuple(Operation(**row) for row in rows)
        shapes = tuple(tuple(shape) for shape in data["shapes"])
        return cls(operations, shapes, data["inputs"], tuple(data["outputs"]))


class ProgramBuilder:
    """Collects operations and gives ids to activations, while a source walks its graph."""

    def __init__(self, *input_shapes: Iterable[int]) -> None:
        """`input_shapes` are those of the block's inputs, which get the first ids, from 0."""
        self._shapes: list[tuple[int, ...]] = [tuple(shape) for shape in input_shapes]
        self._inputs = len(input_shapes)
        self._operations: list[Operation] = []

    def add(
        self,
        kind: str,
        operator: str,
        inputs: Iterable[int],
        output_shapes: Iterable[Sequence[int]],
        *,
        flops: int = 0,
        weights: int = 0,
        channels: tuple[int, int] = (0, 0),
        reads_only_its_output: bool = False,
    ) -> tuple[int, ...]:
        """Appends an operation and returns the ids of its outputs.

        `reads_only_its_output` marks slices: they read as much as they write, however large what they cut
        from is.
        """
        sources = tuple(dict.fromkeys(inputs))
        first = len(self._shapes)
        self._shapes += [tuple(int(size) for size in shape) for shape in output_shapes]
        outputs = tuple(range(first, len(self._shapes)))
        written = sum(self.size(i) for i in outputs)
        read = written if reads_only_its_output else sum(self.size(i) for i in sources)
        rank = max(len(self._shapes[i]) for i in (*sources, *outputs))
        if rank > HIGHEST_COMMON_RANK and kind == "permute":
            kind = "high_rank_permute"
        self._operations.append(
            Operation(kind, operator, sources, outputs, flops, read, written, weights, channels, rank)
        )
        return outputs

    def size(self, i: int) -> int:
        """Elements of activation `i`."""
        return prod(self._shapes[i])

    def leave(self, i: int, shape: Iterable[int]) -> int:
        """Has activation `i` leave the program in `shape`, which may be a view of what was written: `i`."""
        self._shapes[i] = tuple(int(size) for size in shape)
        return i

    def build(self, *outputs: int) -> Program:
        """The program whose results are the activations `outputs`, without what nothing reads."""
        return Program(_needed(self._operations, outputs), tuple(self._shapes), self._inputs, outputs)


def _needed(operations: list[Operation], outputs: Iterable[int]) -> tuple[Operation, ...]:
    """Those of `operations` that `outputs` depend on, in order."""
    needed = set(outputs)
    kept = []
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            needed.update(operation.inputs)
            kept.append(operation)
    return tuple(kept[::-1])


def fuse(program: Program) -> Program:
    """Merges chains of elementwise operations, and those that feed a reduction, into one operation each.

    Core ML's back ends do not write the tensor between two elementwise operations to memory. A tensor that
    has a second reader, or leaves the block, is written all the same, so nothing is merged across it. The
    merged operation stands where its last one stood.
    """
    readers = Counter(i for operation in program.operations for i in operation.inputs)
    readers.update(program.outputs)
    kept: list[Operation | None] = []
    mergeable: dict[int, int] = {}  # id of an elementwise result with one reader -> its place in `kept`
    for operation in program.operations:
        if operation.kind in ("elementwise", "reduction"):
            for source in operation.inputs:
                place = mergeable.pop(source, None)
                if place is not None:
                    producer = kept[place]
                    assert producer is not None
                    kept[place] = None
                    operation = _merged(producer, source, operation, program.shapes)
        if operation.kind == "elementwise" and readers[operation.outputs[0]] == 1:
            mergeable[operation.outputs[0]] = len(kept)
        kept.append(operation)
    return replace(program, operations=tuple(operation for operation in kept if operation is not None))


def _merged(
    producer: Operation, between: int, reader: Operation, shapes: tuple[tuple[int, ...], ...]
) -> Operation:
    inputs = tuple(dict.fromkeys((*producer.inputs, *(i for i in reader.inputs if i != between))))
    return replace(
        reader,
        operator=f"{producer.operator}+{reader.operator}",
        inputs=inputs,
        read=sum(prod(shapes[i]) for i in inputs),
        weights=producer.weights + reader.weights,
        rank=max(producer.rank, reader.rank),
    )


def peak_activations(program: Program) -> int:
    """Largest sum of activations alive at once while `program` runs, in elements, with inputs and outputs.

    An activation lives from the operation that writes it (an input: from the start) to the last that reads it
    (an output: to the end). States that the block is given belong to the caller, who holds them to the end of
    the call. Weights are not counted.
    """
    last_use = {i: step for step, operation in enumerate(program.operations) for i in operation.inputs}
    last_use.update(dict.fromkeys((*range(1, program.inputs), *program.outputs), len(program.operations)))
    alive = set(range(program.inputs))
    peak = sum(prod(program.shapes[i]) for i in alive)
    for step, operation in enumerate(program.operations):
        alive.update(operation.outputs)
        peak = max(peak, sum(prod(program.shapes[i]) for i in alive))
        alive = {i for i in alive if last_use.get(i, -1) > step}
    return peak
