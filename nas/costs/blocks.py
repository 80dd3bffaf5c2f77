"""The blocks of a decoder at the shapes that reach them, each with its operations.

A decoder is a chain of blocks. Each distinct one (what it is, and the shape it receives) is traced or
converted once a process, and what was converted is kept on disk (`nas.costs.cache`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, get_args

import torch
from torch import nn

from nas.costs import cache
from nas.costs.coreml import coreml
from nas.costs.device import Execution
from nas.costs.eager import trace_eager
from nas.costs.identity import identity
from nas.costs.operations import Program, fuse
from nas.costs.trace import TracedBlock, trace
from nas.lowering import LOWERINGS, Lowering
from nas.lowering.conversion import versions
from nas.lowering.decoder import lower_end, lower_link
from nas.lowering.layouts import Layout
from search_space import DecoderConfig, build_decoder

Source = Literal["coreml", "trace"]
SOURCES: tuple[Source, ...] = get_args(Source)
Runtime = Literal["coreml", "torch"]


@dataclass(frozen=True)
class Block:
    """One block of a decoder at the shape that reaches it: `program` is what it does; `identity` tells equal
    blocks."""

    stage: str
    name: str
    identity: str
    params: int
    program: Program


class Decodable(Protocol):
    """What can be priced: a design, or the decoder of an original autoencoder."""

    @property
    def compression(self) -> tuple[int, int, int]:
        """Video frames, rows and columns for one of the latent: (t, h, w)."""

    def latent_shape(self, resolution: tuple[int, int], frames: int) -> tuple[int, ...]:
        """[1, C, T, H, W] of the fewest latents that cover `frames` frames of (height, width) pixels."""

    def frames_decoded(self, frames: int) -> int:
        """Frames that those latents give."""

    def sources(self, runtime: Runtime) -> tuple[Source, ...]:
        """Where its operations on a runtime can be read, the truest first."""

    def lowerings(self, runtime: Runtime) -> tuple[Lowering | None, ...]:
        """The forms in which a runtime may be given the decoder; None stands for as it was trained."""

    def blocks(
        self, latent_shape: Sequence[int], source: Source, lowering: Lowering | None, execution: Execution
    ) -> list[Block]:
        """The chain of blocks that decodes a latent [1, C, T, H, W]; `execution` as of the device profile."""


@dataclass(frozen=True)
class Design:
    """A design as something to price."""

    config: DecoderConfig

    @property
    def compression(self) -> tuple[int, int, int]:
        return self.config.compression

    def latent_shape(self, resolution: tuple[int, int], frames: int) -> tuple[int, ...]:
        _, height, width = self.config.compression
        latents = self.config.latent_frames(frames)
        return (
            1,
            self.config.latent_channels,
            latents,
            -(-resolution[0] // height),
            -(-resolution[1] // width),
        )

    def frames_decoded(self, frames: int) -> int:
        return self.config.frames(self.config.latent_frames(frames))

    def sources(self, runtime: Runtime) -> tuple[Source, ...]:
        return SOURCES if runtime == "coreml" else ("trace",)

    def lowerings(self, runtime: Runtime) -> tuple[Lowering | None, ...]:
        return LOWERINGS if runtime == "coreml" else (None,)

    def blocks(
        self, latent_shape: Sequence[int], source: Source, lowering: Lowering | None, execution: Execution
    ) -> list[Block]:
        if lowering is None:
            return chain_blocks(self.stages, latent_shape, source, execution)
        blocks: list[Block] = []
        shape = latent_shape
        for stage, chain in self.stages:
            for name, module in chain:
                blocks += _linked(stage, name, module, shape, source, lowering, execution)
                shape = blocks[-1].program.output_shape
        for name, module in lower_end(_layout(shape)):
            blocks.append(block_of(blocks[-1].stage, name, module, shape, source, execution))
        return blocks

    @cached_property
    def stages(self) -> list[tuple[str, list[tuple[str, nn.Module]]]]:
        """As `Decoder.stages()`, of meta tensors."""
        with torch.device("meta"):
            return build_decoder(self.config).eval().stages()


def chain_blocks(
    stages: Iterable[tuple[str, Iterable[tuple[str, nn.Module]]]],
    input_shape: Sequence[int],
    source: Source,
    execution: Execution,
) -> list[Block]:
    """The blocks of stages such as `Decoder.stages()`, each on what the one before gives."""
    blocks: list[Block] = []
    for stage, chain in stages:
        for name, module in chain:
            shape = blocks[-1].program.output_shape if blocks else input_shape
            blocks.append(block_of(stage, name, module, shape, source, execution))
    return blocks


def block_of(
    stage: str,
    name: str,
    module: nn.Module,
    shape: Sequence[int],
    source: Source,
    execution: Execution,
    states: Sequence[Sequence[int]] = (),
) -> Block:
    """A module, whose parameters are meta tensors, as a block on an input of `shape` and states of theirs.

    Raises:
        ConversionError: with "coreml", where coremltools can't convert it.
    """
    key = identity(module, shape)
    params = sum(parameter.numel() for parameter in module.parameters())
    return Block(stage, name, key, params, _program(key, module, shape, source, execution, states))


# What this process has seen, by `identity`. A space has few distinct blocks, so they are never dropped.
_traced: dict[str, TracedBlock] = {}
_executed: dict[tuple[str, Execution], Program] = {}
_converted: dict[str, Program] = {}
_links: dict[tuple[str, Source, Lowering, Execution], list[Block]] = {}


def _linked(
    stage: str,
    name: str,
    module: nn.Module,
    shape: Sequence[int],
    source: Source,
    lowering: Lowering,
    execution: Execution,
) -> list[Block]:
    """The blocks that a block of `Decoder.stages()` becomes where a tensor of `shape` reaches it."""
    key = (identity(module, shape), source, lowering, execution)
    if key not in _links:
        link: list[Block] = []
        for suffix, lowered in lower_link("", module, lowering, _layout(shape)):
            link.append(block_of("", suffix, lowered.eval(), shape, source, execution))
            shape = link[-1].program.output_shape
        _links[key] = link
    return [replace(block, stage=stage, name=f"{name}{block.name}") for block in _links[key]]


def _layout(shape: Sequence[int]) -> Layout:
    return "clip" if len(shape) == 5 else "frames"


def executed(
    module: nn.Module,
    shape: Sequence[int],
    execution: Execution,
    states: Sequence[Sequence[int]] = (),
) -> Program:
    """What a module, whose parameters are meta tensors, does with an input of `shape`, by its operators.

    States are for what is fused: nothing streams in eager PyTorch.
    """
    if execution == "fused":
        return fuse(trace(module, shape, *states).program)
    return trace_eager(module, shape, "fp16" if execution == "eager_fp16" else "fp32")


def _program(
    key: str,
    module: nn.Module,
    shape: Sequence[int],
    source: Source,
    execution: Execution,
    states: Sequence[Sequence[int]],
) -> Program:
    if source == "trace":
        if (key, execution) not in _executed:
            _executed[key, execution] = executed(module, shape, execution, states)
        return _executed[key, execution]
    if key not in _traced:
        _traced[key] = trace(module, shape, *states)
    if key not in _converted:
        path = cache.entry(_traced[key].fingerprint, versions())
        program = cache.load(path)
        if program is None:
            program = coreml(module, shape, *states, outputs=len(_traced[key].program.outputs))
            cache.store(path, program)
        _converted[key] = program
    return _converted[key]
