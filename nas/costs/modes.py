"""The ways to decode a clip with one decoder, and what each costs: whole, in spatial tiles, or streamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Literal

import numpy as np

from nas.costs.blocks import Decodable, Source
from nas.costs.chains import Cost, stage_costs, sum_costs
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import sampled
from nas.costs.operations import Operation
from nas.costs.roofline import operation_ms
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
            "streamed": latent by latent.
        lowering: the form of the decoder; None as it was trained.
        source: where its operations were read.
        stages: cost of each stage by name, for the whole clip.
        total: their sum.
        memory_bytes: weights, and the most that is alive at once.
        first_frame_ms: time until the first frame is done.
        program_shape: the latent that one run of its program decodes, [1, C, T, H, W], or [1, C, H, W] where
            it is streamed.
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
    the most there are."""
    for tiles in TILES:
        sides = [tile_sides(edge, tiles) for edge in latent[3:]]
        shape = (*latent[:3], *(tile for tile, _ in sides))
        mode = in_tiles(decoder, latent, shape, frames, profile, source, lowering)
        if mode.memory_bytes <= limit:
            break
    return mode


def in_tiles(
    decoder: Decodable,
    latent: Sequence[int],
    shape: Sequence[int],
    frames: int,
    profile: DeviceProfile,
    source: Source,
    lowering: Lowering | None,
) -> Mode:
    """A latent [1, C, T, H, W] of `frames` frames in tiles of `shape`.

    As diffusers' `tiled_decode`, except that the last tile of a row or column is moved inwards, so that one
    program of one shape decodes all. The video stays in memory whole. Each tile after the first starts the
    program anew, and what tiles have in common is blended.
    """
    _, height, width = decoder.compression
    pixels = frames * height * width  # of one latent place
    down, across = (tiles_along(edge, tile) for edge, tile in zip(latent[3:], shape[3:], strict=True))
    count = down * across
    stages, total = _chain(decoder, shape, profile, source, lowering)
    video = VIDEO_CHANNELS * pixels * prod(latent[3:]) * profile.element_bytes
    memory = total.params * profile.element_bytes + total.peak_activation_bytes + video
    begins = starts_ms(count, profile)
    ends = blending_ms(latent[3:], shape[3:], pixels, profile)
    costs = with_overheads([(name, cost.repeated(count)) for name, cost in stages], begins, ends)
    total = sum_costs([cost for _, cost in costs])
    size = f"{shape[3] * height}x{shape[4] * width}"
    description = f"{down} x {across} tiles of {size}, {OVERLAP:.0%} overlapping"
    latency = total.latency_ms
    return Mode("tiled", lowering, source, tuple(costs), total, memory, latency, tuple(shape), description)


def tile_sides(edge: int, tiles: int) -> tuple[int, int]:
    """Latents of a tile's side where about `tiles` overlapping ones cover `edge`, and how many there are."""
    tile = ceil(edge / (1 + (tiles - 1) * (1 - OVERLAP)))
    return tile, tiles_along(edge, tile)


def tiles_along(edge: int, tile: int) -> int:
    """How many overlapping tiles of so many latents cover a side of `edge` latents."""
    return 1 + ceil((edge - tile) / max(1, int(tile * (1 - OVERLAP))))


def starts_ms(runs: int, profile: DeviceProfile) -> np.ndarray:
    """Time to start a program anew for each of `runs` but the first, ms, [1 + K].

    Nothing published says how long a start takes: it is taken to be as long as a change of units.
    """
    return (runs - 1) * np.asarray(sampled(profile).switch) * 1e3


def blending_ms(edges: Sequence[int], tile: Sequence[int], pixels: int, profile: DeviceProfile) -> np.ndarray:
    """Time to blend the tiles of a clip into a video, ms, [1 + K].

    What a tile has in common with the one above and with the one before is read twice and written once, as
    diffusers' `blend_v` and `blend_h` do; then every tile's own part is copied into the video. It is counted
    on the last of the profile's units, which takes everything.

    Args:
        edges, tile: sides of the clip and of a tile, (height, width) in latents.
        pixels: of the video for one place of the latent, over all frames.
        profile: of the device.
    """
    down, across = (tiles_along(edge, side) for edge, side in zip(edges, tile, strict=True))
    shared_rows, shared_columns = (side - max(1, int(side * (1 - OVERLAP))) for side in tile)
    shared = (down - 1) * across * shared_rows * tile[1] + down * (across - 1) * tile[0] * shared_columns
    blended, copied = (VIDEO_CHANNELS * pixels * places for places in (shared, prod(edges)))
    operations = [
        Operation("elementwise", "blend", (), (), 0, 2 * blended, blended, 0, (0, 0), 5),
        Operation("copy", "crop", (), (), 0, copied, copied, 0, (0, 0), 5),
    ]
    hardware = sampled(profile)
    *_, unit = hardware.units.values()
    return np.asarray(np.broadcast_to(operation_ms(operations, unit).sum(axis=0), np.shape(hardware.switch)))


def with_overheads(
    stages: Sequence[tuple[str, Cost]], begins: np.ndarray, ends: np.ndarray | float = 0.0
) -> list[tuple[str, Cost]]:
    """Stages with what passes before each run of the program added to the first of them, and what passes
    after all runs to the last, ms, [1 + K]."""
    costs = dict(stages)
    for name, added in ((stages[0][0], begins), (stages[-1][0], ends)):
        costs[name] = replace(costs[name], latency=costs[name].latency + added)
    return list(costs.items())


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
