"""`estimate`: what a decoder costs on a device, computed from its configuration, nothing being run.

A decoder is a chain of blocks, so times add and peak memory is a maximum. Each distinct block (what it is,
and the shape it receives) is traced or converted once, and priced once a profile; after that a design costs
what it takes to look its blocks up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn

from nas.costs import cache
from nas.costs.coreml import coreml, versions
from nas.costs.device import DeviceProfile, load_device
from nas.costs.hardware import hardware
from nas.costs.identity import identity
from nas.costs.operations import Program, fuse, peak_activations
from nas.costs.roofline import chain_ms
from nas.costs.trace import TracedBlock, trace
from search_space import DecoderConfig, build_decoder
from search_space.errors import UserError

Source = Literal["coreml", "trace"]
LONGEST = 2**16  # frames, and pixels of a side: beyond any clip, within what PyTorch can count


@dataclass(frozen=True)
class Cost:
    """What a block or a stage costs.

    Attributes:
        params: parameters.
        flops: two per multiply-add of convolutions and matrix products.
        bytes: bytes that its operations move, weights included.
        latency_ms: time on the device, ms.
        peak_activation_bytes: most bytes of activations alive at once while it runs.
    """

    params: int
    flops: int
    bytes: int
    latency_ms: float
    peak_activation_bytes: int

    def __add__(self, later: Cost) -> Cost:
        """Cost of this and then `later`: everything adds, the peak is the higher one."""
        return Cost(
            self.params + later.params,
            self.flops + later.flops,
            self.bytes + later.bytes,
            self.latency_ms + later.latency_ms,
            max(self.peak_activation_bytes, later.peak_activation_bytes),
        )


@dataclass(frozen=True)
class StageCost:
    """One row of the table of stages; `name` is one of `Decoder.stages()`: `conv_in`, `mid_block`,
    `up_block_0`, ..., `head`."""

    name: str
    cost: Cost

    def to_dict(self) -> dict[str, Any]:
        """One flat row."""
        return {"name": self.name, **asdict(self.cost)}


@dataclass(frozen=True)
class Block:
    """One block of a decoder at the shape that reaches it: `program` is what it does, `identity` tells equal
    blocks."""

    stage: str
    name: str
    identity: str
    params: int
    program: Program


@dataclass(frozen=True)
class Estimate:
    """An estimate, not a measurement, of decoding one clip.

    Attributes:
        params: parameters of the decoder.
        flops: two per multiply-add, for the frames decoded.
        latency_ms: time to decode the clip, ms.
        fps: frames asked for per second of that time.
        peak_memory_bytes: fp16 weights, and the most activations alive at once.
        fits: whether that is within what one app may use on the device.
        device: name of the profile.
        profile_version, profile_digest: which figures the profile held.
        resolution: (height, width) of the video asked for, pixels.
        frames: frames asked for.
        frames_decoded: frames that the decoder gives for the fewest latents that cover `frames`.
        latent_shape: what is decoded, [B, C, T, H, W].
        source: "coreml" (operations of the converted ML Program) or "trace" (operators of PyTorch).
        stages: one row per stage, in the order in which data meets them.
    """

    params: int
    flops: int
    latency_ms: float
    fps: float
    peak_memory_bytes: int
    fits: bool
    device: str
    profile_version: int
    profile_digest: str
    resolution: tuple[int, int]
    frames: int
    frames_decoded: int
    latent_shape: tuple[int, ...]
    source: Source
    stages: tuple[StageCost, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `"basis": "estimated"` says that nothing was measured."""
        return {
            **vars(self),
            "resolution": list(self.resolution),
            "latent_shape": list(self.latent_shape),
            "basis": "estimated",
            "stages": [stage.to_dict() for stage in self.stages],
        }


def estimate(
    config: DecoderConfig,
    device: str | Path = "iphone-16-pro",
    resolution: tuple[int, int] = (512, 512),
    frames: int = 17,
    source: Source = "coreml",
) -> Estimate:
    """What decoding one clip of `frames` frames costs on `device`.

    Latents cover the clip: ceil(size / compression) in height and width, and the fewest in time that give
    `frames`.

    Args:
        config: the decoder at full width.
        device: a name from `devices()`, or the path of a profile in YAML.
        resolution: (height, width) of the video, pixels.
        frames: frames wanted.
        source: "coreml" converts each distinct block once (seconds, then kept on disk), "trace" takes
            milliseconds.

    Raises:
        UserError: for an unknown device, a broken profile, a size or frame count below 1 or above
            `LONGEST`, or an unknown source.
        ConversionError: with "coreml", where coremltools can't convert a block.
    """
    profile = load_device(device)
    blocks = decoder_blocks(config, resolution, frames, source)
    stages = tuple(
        StageCost(name, _total([_cost(block, source, profile) for block in group]))
        for name, group in groupby(blocks, key=lambda block: block.stage)
    )
    total = _total([stage.cost for stage in stages])
    peak_memory = total.params * profile.element_bytes + total.peak_activation_bytes
    return Estimate(
        params=total.params,
        flops=total.flops,
        latency_ms=total.latency_ms,
        fps=frames / total.latency_ms * 1e3,
        peak_memory_bytes=peak_memory,
        fits=peak_memory <= profile.app_memory_gb.value * 1e9,
        device=profile.name,
        profile_version=profile.version,
        profile_digest=profile.digest,
        resolution=resolution,
        frames=frames,
        frames_decoded=config.frames(config.latent_frames(frames)),
        latent_shape=blocks[0].program.shapes[0],
        source=source,
        stages=stages,
    )


def decoder_blocks(
    config: DecoderConfig, resolution: tuple[int, int], frames: int, source: Source
) -> list[Block]:
    """The blocks of the decoder of `config`, each with its operations, for a clip as in `estimate`.

    Raises:
        UserError, ConversionError: as `estimate`.
    """
    if source not in get_args(Source):
        raise UserError(f"unknown source of costs {source!r}: known are {', '.join(get_args(Source))}")
    shape: Sequence[int] = _latent_shape(config, resolution, frames)
    with torch.device("meta"):
        decoder = build_decoder(config).eval()
    blocks = []
    for stage, chain in decoder.stages():
        for name, module in chain:
            key = identity(module, shape)
            program = _program(key, module, shape, source)
            params = sum(parameter.numel() for parameter in module.parameters())
            blocks.append(Block(stage, name, key, params, program))
            shape = program.output_shape
    return blocks


def _latent_shape(config: DecoderConfig, resolution: tuple[int, int], frames: int) -> tuple[int, ...]:
    if not 1 <= frames <= LONGEST:
        raise UserError(f"frames must be 1 to {LONGEST}, not {frames}")
    if not 1 <= min(resolution) <= max(resolution) <= LONGEST:
        raise UserError(
            f"resolution must be 1 to {LONGEST} in height and width, not {'x'.join(map(str, resolution))}"
        )
    _, height, width = config.compression
    return (
        1,
        config.latent_channels,
        config.latent_frames(frames),
        -(-resolution[0] // height),
        -(-resolution[1] // width),
    )


# What this process has seen, by `identity`. A space has few distinct blocks, so they are never dropped.
_traced: dict[str, TracedBlock] = {}
_converted: dict[str, Program] = {}
_costs: dict[tuple[str, Source, DeviceProfile], Cost] = {}


def _program(key: str, module: nn.Module, shape: Sequence[int], source: Source) -> Program:
    if key not in _traced:
        _traced[key] = trace(module, shape)
    if source == "trace":
        return fuse(_traced[key].program)
    if key not in _converted:
        path = cache.entry(_traced[key].fingerprint, versions())
        program = cache.load(path)
        if program is None:
            program = coreml(module, shape)
            cache.store(path, program)
        _converted[key] = program
    return _converted[key]


def _cost(block: Block, source: Source, profile: DeviceProfile) -> Cost:
    key = (block.identity, source, profile)
    if key not in _costs:
        _costs[key] = Cost(
            block.params,
            block.program.flops,
            block.program.moved * profile.element_bytes,
            float(chain_ms([block.program], hardware(profile))),
            peak_activations(block.program) * profile.element_bytes,
        )
    return _costs[key]


def _total(costs: Sequence[Cost]) -> Cost:
    total = costs[0]
    for cost in costs[1:]:
        total += cost
    return total
