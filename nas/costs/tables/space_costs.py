"""What `nas.costs.estimate` says of a design, for very many designs of a space at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import prod

import numpy as np

from nas.costs.blocks import Source
from nas.costs.chains import bounds_factor
from nas.costs.device import DeviceProfile
from nas.costs.estimation import EXTRAPOLATED
from nas.costs.modes import TILES, VIDEO_CHANNELS, ModeName, blending_ms, starts_ms, tile_sides
from nas.costs.streaming import STREAMED, streaming_bytes
from nas.costs.tables import store
from nas.costs.tables.chain import OPERATORS, Chain, Variant
from nas.costs.tables.filling import FLOPS, LATENCY, LEFT, PARAMS, UNMEASURED, Pricing, Program, fill
from nas.costs.tables.links import CONVOLUTIONS, ENDS, UPSAMPLER, compose
from nas.costs.tables.parts import Dims, Parts
from nas.costs.tables.sums import Table, add_up, walk
from nas.lowering import LOWERINGS, Lowering
from search_space import SearchSpace

_FEW = 256  # parts that aren't worth a file


@dataclass(frozen=True)
class Way:
    """One way to decode: the mode, the form of the decoder, the latent that it is given, and how often."""

    mode: ModeName
    lowering: Lowering | None
    latent: Dims
    times: int = 1


@dataclass(frozen=True)
class Costs:
    """Costs of N designs, each an array [N], by the names and in the units of `nas.costs.Estimate`.

    `busiest` is the operator that most of the time goes into: a convolution, an upsampler, or the ends of the
    decoder. Starts of programs and the blending of tiles belong to none.
    """

    params: np.ndarray
    flops: np.ndarray
    latency_ms: np.ndarray
    latency_low_ms: np.ndarray
    latency_high_ms: np.ndarray
    fps: np.ndarray
    peak_memory_bytes: np.ndarray
    fits: np.ndarray
    mode: np.ndarray
    lowering: np.ndarray
    standing: np.ndarray
    busiest: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Costs]) -> Costs:
        """The costs of one part of the designs after those of another."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def __getitem__(self, some: np.ndarray) -> Costs:
        return Costs(**{field.name: getattr(self, field.name)[some] for field in fields(self)})


@dataclass(frozen=True)
class _Priced:
    """Designs decoded in one way: `sums` [N, columns], memory in bytes, factor of the interval, all for N."""

    sums: np.ndarray
    memory: np.ndarray
    factor: np.ndarray
    way: np.ndarray

    def __getitem__(self, some: np.ndarray) -> _Priced:
        return _Priced(*(getattr(self, field.name)[some] for field in fields(self)))

    def __setitem__(self, some: np.ndarray, others: _Priced) -> None:
        for field in fields(self):
            getattr(self, field.name)[some] = getattr(others, field.name)

    @property
    def high(self) -> np.ndarray:
        """Upper bound of the latency, ms."""
        return np.asarray(self.sums[:, LATENCY] * self.factor)


class SpaceCosts:
    """The tables of a space for one device and one clip, filled when they are first needed."""

    def __init__(
        self,
        space: SearchSpace,
        profile: DeviceProfile,
        resolution: tuple[int, int] = (512, 512),
        frames: int = 17,
        source: Source = "trace",
        memory: int | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Arguments as of `nas.costs.estimate`; `progress` hears how many parts are priced."""
        self.chain = Chain(space)
        self.profile = profile
        self.limit = int(profile.app_memory_gb.value * 1e9) if memory is None else memory
        self.ways: list[Way] = []
        self.frames, self._source, self._progress = frames, source, progress
        _, height, width = space.compression
        # Latents and frames follow from the compression, so they are the same for every design of a space.
        latents = space.first.latent_frames(frames)
        self._latent = (latents, -(-resolution[0] // height), -(-resolution[1] // width))
        pixels = prod(self._latent[1:]) * height * width
        self._video = VIDEO_CHANNELS * space.first.frames(latents) * pixels * profile.element_bytes
        self._pixels = space.first.frames(latents) * height * width  # of one latent place
        self._lowerings: tuple[Lowering | None, ...] = LOWERINGS if profile.runtime == "coreml" else (None,)
        self._whole = [Way("whole", lowering, self._latent) for lowering in self._lowerings]
        streams = profile.runtime == "coreml" and any(map(_streamable, self.chain.variants))
        self._streaming = Way("streamed", STREAMED, self._latent) if streams else None
        self._tables: dict[tuple[Way, Source], list[Table]] = {}

    def untiled(self) -> list[Way]:
        """The ways to decode a clip without tiles: at once in each form of the decoder, and streamed."""
        streaming = [] if self._streaming is None else [self._streaming]
        return [*self._whole, *streaming]

    def variants(self, way: Way) -> list[int]:
        """The variants of the chain that can be decoded in that way."""
        numbered = enumerate(self.chain.variants)
        return [index for index, variant in numbered if way.mode != "streamed" or _streamable(variant)]

    def costs(self, designs: np.ndarray, way: Way | None = None) -> Costs:
        """Costs of designs [N, P], as `design_arrays.draw` gives them.

        Decoded in `way`, or by default each in its best one, as `nas.costs.estimate` chooses it.
        """
        rows = self.chain.rows(designs)
        if way is not None:
            priced = self._priced(way, rows, self._source)
            return self._named(priced, self._busiest(rows, priced))
        first, *others = self._whole
        best = self._priced(first, rows)
        for other in others:
            self._improve(best, np.arange(len(designs)), self._priced(other, rows))
        too_large = np.flatnonzero(best.memory > self.limit)
        for lowering in self._lowerings:
            self._try_tiles(best, rows, too_large, lowering)
        if self._streaming is not None:
            streamable = np.flatnonzero(np.isin(self.chain.variant(rows), self.variants(self._streaming)))
            streamed = self._priced(self._streaming, [row[streamable] for row in rows])
            self._improve(best, streamable, streamed)
        if self._source != "trace":  # ways are compared by trace
            for way in {self.ways[index] for index in np.unique(best.way)}:
                these = np.flatnonzero(best.way == self.ways.index(way))
                best[these] = self._priced(way, [row[these] for row in rows], self._source)
        return self._named(best, self._busiest(rows, best))

    def _improve(self, best: _Priced, designs: np.ndarray, other: _Priced) -> None:
        """Takes another way for designs where it is better: it fits, then its upper bound is lower."""
        had = best[designs]
        better = other.high < had.high
        fits, fitted = other.memory <= self.limit, had.memory <= self.limit
        better = np.where(fits == fitted, better, fits)
        best[designs[better]] = other[better]

    def _try_tiles(
        self, best: _Priced, rows: list[np.ndarray], designs: np.ndarray, lowering: Lowering | None
    ) -> None:
        """As `nas.costs.modes.tiled`: the fewest tiles that fit, or else the most there are."""
        time, *edges = self._latent
        for tiles in TILES:
            if not len(designs):
                return
            (height, down), (width, across) = (tile_sides(edge, tiles) for edge in edges)
            way = Way("tiled", lowering, (time, height, width), down * across)
            priced = self._priced(way, [row[designs] for row in rows])
            settled = (priced.memory <= self.limit) | (tiles == TILES[-1])
            self._improve(best, designs[settled], priced[settled])
            designs = designs[~settled]

    def _priced(self, way: Way, rows: list[np.ndarray], source: Source = "trace") -> _Priced:
        added = add_up(self.tables(way, source), rows, left=LEFT)
        sums = added.sums
        sums[:, [FLOPS, LATENCY, UNMEASURED]] *= way.times
        latency = np.column_stack([sums[:, LATENCY], way.times * added.members]) + self._overheads(way)
        sums[:, LATENCY] = latency[:, 0]
        factor = bounds_factor(latency, sums[:, UNMEASURED], self.profile)
        if way.mode == "streamed":
            params, left = sums[:, PARAMS], sums[:, LEFT]
            memory = streaming_bytes(params, left, added.peaks, self.profile, way.latent[0])
        else:
            memory = sums[:, PARAMS] * self.profile.element_bytes + added.peaks
        if way.mode == "tiled":
            memory += self._video
        return _Priced(sums, memory, factor, np.full(len(sums), self.ways.index(way)))

    def _overheads(self, way: Way) -> np.ndarray:
        """Time between the runs of a program and after them, ms, [1 + K]."""
        match way.mode:
            case "whole":
                return starts_ms(1, self.profile)
            case "tiled":
                blending = blending_ms(self._latent[1:], way.latent[1:], self._pixels, self.profile)
                return starts_ms(way.times, self.profile) + blending
            case "streamed":
                return starts_ms(way.latent[0], self.profile)

    def tables(self, way: Way, source: Source = "trace") -> list[Table]:
        """A table for each link of the chain, decoded in that way."""
        if (way, source) not in self._tables:
            if way not in self.ways:
                self.ways.append(way)
            if way.mode == "streamed":
                self._tables[way, source] = self._streamed(way, source)
            else:
                self._tables[way, source] = self._composed(
                    way.latent, Pricing(source, self.profile, way.lowering)
                )
        return self._tables[way, source]

    def _composed(self, latent: Dims, pricing: Pricing) -> list[Table]:
        parts = Parts(self.chain, lambda variant: _sizes(latent, variant, self.chain, pricing.program))
        return compose(self.chain, parts, self._filled(parts, pricing))

    def _streamed(self, way: Way, source: Source) -> list[Table]:
        """As `nas.costs.streaming.streamed`: the first latent, then a call for each of the later ones."""
        frame = (1, *way.latent[1:])
        first = self._composed(frame, Pricing(source, self.profile, way.lowering, "first"))
        if way.latent[0] == 1:
            return first
        later = self._composed(frame, Pricing(source, self.profile, way.lowering, "later"))
        return [_both(one, other, way.latent[0] - 1) for one, other in zip(first, later, strict=True)]

    def _filled(self, parts: Parts, pricing: Pricing) -> Table:
        if len(parts) <= _FEW:
            return fill(parts, pricing, self._progress)
        path = store.entry(parts, pricing)
        table = store.load(path)
        if table is None:
            table = fill(parts, pricing, self._progress)
            store.store(path, table)
        return table

    def _busiest(self, rows: list[np.ndarray], best: _Priced) -> np.ndarray:
        time = np.zeros((len(best.way), len(OPERATORS)))
        for index in np.unique(best.way):
            these = np.flatnonzero(best.way == index)
            tables = self.tables(self.ways[index], self._source)
            taken = [row[these] for row in rows]
            for link, (table, at) in enumerate(walk(tables, taken)):
                conv, upsampler = self.chain.operators(link, taken[link])
                for operator, column in ((conv, CONVOLUTIONS), (upsampler, UPSAMPLER), (-1, ENDS)):
                    time[these, operator] += table.sums[..., column].reshape(-1).take(at)
        return np.array(OPERATORS, dtype=object)[time.argmax(axis=1)]

    def _named(self, best: _Priced, busiest: np.ndarray) -> Costs:
        latency = best.sums[:, LATENCY]
        beyond = best.sums[:, UNMEASURED] / latency > EXTRAPOLATED
        modes, lowerings = (
            np.array([getattr(way, name) for way in self.ways], dtype=object) for name in ("mode", "lowering")
        )
        return Costs(
            params=best.sums[:, PARAMS].astype(np.int64),
            flops=best.sums[:, FLOPS].astype(np.int64),
            latency_ms=latency,
            latency_low_ms=latency / best.factor,
            latency_high_ms=best.high,
            fps=self.frames / latency * 1e3,
            peak_memory_bytes=best.memory.astype(np.int64),
            fits=best.memory <= self.limit,
            mode=modes[best.way],
            lowering=lowerings[best.way],
            standing=np.where(beyond, "extrapolated", "calibrated"),
            busiest=busiest,
        )


def _both(first: Table, later: Table, calls: int) -> Table:
    """A link of the first program and, `calls` times, of the later one, each in a state of its own.

    The later one holds the more.
    """
    rows, states = later.after.shape
    both = (rows, first.states * states)
    sums = first.sums[:, :, np.newaxis] + calls * later.sums[:, np.newaxis]
    for column in (PARAMS, LEFT):  # of one of them
        sums[..., column] = later.sums[:, np.newaxis, :, column]
    members = first.members[:, :, np.newaxis] + np.float32(calls) * later.members[:, np.newaxis]
    return Table(
        sums.reshape(*both, -1),
        members.reshape(*both, -1),
        np.broadcast_to(later.peaks[:, np.newaxis], (rows, first.states, states)).reshape(both),
        (first.after[:, :, np.newaxis] * states + later.after[:, np.newaxis]).reshape(both).astype(np.int8),
    )


def _sizes(latent: Dims, variant: Variant, chain: Chain, program: Program) -> list[Dims] | None:
    """Frames, height and width of what reaches each link of a variant and, last, of what leaves the last.

    None where the program is one of a streamed decoder and the variant can't be streamed.
    """
    if program != "clip" and not _streamable(variant):
        return None
    drops = program != "later" and not chain.space.keeps_first_frames
    time, height, width = latent
    sizes = [latent, latent]  # the middle block keeps all
    for upsamples, doubles_time in variant.placement:
        if upsamples:
            height, width = 2 * height, 2 * width
        if doubles_time:
            time = 2 * time - drops
        sizes.append((time, height, width))
    return sizes


def _streamable(variant: Variant) -> bool:
    """As `nas.lowering.streaming.why_not_streamable`, for the paddings that spaces have."""
    return variant.time_padding == "causal"
