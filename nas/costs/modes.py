"""The ways to decode a clip with one decoder, and what each costs: whole, in spatial tiles, or streamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Literal

from nas.costs.blocks import Decodable, Source
from nas.costs.chains import Cost, stage_costs, sum_costs
from nas.costs.device import DeviceProfile
from nas.lowering import Lowering

ModeName = Literal["whole", "tiled", "streamed"]

TILES = (2, 3, 4, 6, 8)  # a side; the fewest that fit are taken
OVERLAP = 0.25  # share of a tile that it has in common with the next: diffusers' default
VIDEO_CHANNELS = 3


@dataclass(frozen=True)
class Mode:
    """One way to decode a clip.

    Attributes:
        name: "whole": the clip at once. "tiled": overlapping tiles of all frames, one after the other.
        lowering: the form of the decoder; None as it was trained.
        source: where its operations were read.
        stages: cost of each stage by name, for the whole clip.
        total: their sum.
        memory_bytes: weights, and the most that is alive at once.
        first_frame_ms: time until the first frame is done.
        program_shape: the latent that one run of its program decodes, [1, C, T, H, W].
        description: in words.
    """

    name: ModeName
    lowering: Lowering | None
    source: Source
    stages: tuple[tuple[str, Cost], ...]
    total: Cost
    memory_bytes: int
    first_frame_ms: float
    program_shape: tuple[int, ...]
    description: str


def whole(
    decoder: Decodable,
    latent: Sequence[int],
    profile: DeviceProfile,
    source: Source,
    lowering: Lowering | None,
) -> Mode:
    """A latent [1, C, T, H, W] at once."""
    stages, total = _chain(decoder, latent, profile, source, lowering)
    memory = total.params * profile.element_bytes + total.peak_activation_bytes
    what = "the whole clip at once"
    return Mode("whole", lowering, source, stages, total, memory, total.latency_ms, tuple(latent), what)


def tiled(
    decoder: Decodable,
    latent: Sequence[int],
    frames: int,
    profile: DeviceProfile,
    source: Source,
    lowering: Lowering | None,
    limit: float,
) -> Mode:
    """A latent [1, C, T, H, W] of `frames` frames in the fewest tiles that fit in `limit` bytes, or else in
    the most there are.

    As diffusers' `tiled_decode`, except that the last tile of a row or column is moved inwards, so that one
    program of one shape decodes all. The video stays in memory whole.
    """
    _, height, width = decoder.compression
    size = (latent[3] * height, latent[4] * width)
    video = VIDEO_CHANNELS * frames * prod(size) * profile.element_bytes
    for tiles in TILES:
        sides = [tile_sides(edge, tiles) for edge in latent[3:]]
        shape = (*latent[:3], *(tile for tile, _ in sides))
        count = prod(number for _, number in sides)
        stages, total = _chain(decoder, shape, profile, source, lowering)
        memory = total.params * profile.element_bytes + total.peak_activation_bytes + video
        if memory <= limit:
            break
    stages = tuple((name, cost.repeated(count)) for name, cost in stages)
    total = total.repeated(count)
    pixels = f"{shape[3] * height}x{shape[4] * width}"
    description = f"{sides[0][1]} x {sides[1][1]} tiles of {pixels}, {OVERLAP:.0%} overlapping"
    return Mode("tiled", lowering, source, stages, total, memory, total.latency_ms, shape, description)


def tile_sides(edge: int, tiles: int) -> tuple[int, int]:
    """Latents of a tile's side where about `tiles` overlapping ones cover `edge`, and how many there are."""
    tile = ceil(edge / (1 + (tiles - 1) * (1 - OVERLAP)))
    stride = max(1, int(tile * (1 - OVERLAP)))
    return tile, 1 + ceil((edge - tile) / stride)


def _chain(
    decoder: Decodable,
    latent: Sequence[int],
    profile: DeviceProfile,
    source: Source,
    lowering: Lowering | None,
) -> tuple[tuple[tuple[str, Cost], ...], Cost]:
    blocks = decoder.blocks(latent, source, lowering, profile.execution)
    stages = tuple(stage_costs(blocks, source, profile))
    return stages, sum_costs([cost for _, cost in stages])
