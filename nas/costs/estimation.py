"""`estimate`: what a decoder costs on a device, computed from its configuration, nothing being run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nas.costs.blocks import Decodable, Design, Source
from nas.costs.chains import Cost
from nas.costs.device import DeviceProfile, load_device
from nas.costs.modes import Mode, ModeName, in_tiles, tiled, whole
from nas.costs.streaming import STREAMED, streamed
from nas.lowering import LOWERINGS, Lowering
from search_space import DecoderConfig
from search_space.errors import UserError

LONGEST = 2**16  # frames, and pixels of a side: beyond any clip, within what PyTorch can count
EXTRAPOLATED = 0.1  # share of the time beyond what was measured from which an estimate is called so


@dataclass(frozen=True)
class StageCost:
    """One row of the table of stages.

    Attributes:
        name: one of `Decoder.stages()`: `conv_in`, `mid_block`, `up_block_0`, ..., `head`; of an original
            "decoder".
        params: parameters.
        flops: two per multiply-add of convolutions and matrix products.
        bytes: bytes that its operations move, weights included.
        latency_ms: time on the device, ms.
        peak_activation_bytes: most bytes of activations alive at once while it runs.
    """

    name: str
    params: int
    flops: int
    bytes: int
    latency_ms: float
    peak_activation_bytes: int


@dataclass(frozen=True)
class ModeCost:
    """One row of the table of ways to decode the clip; attributes as of `Estimate`."""

    mode: ModeName
    description: str
    lowering: Lowering | None
    source: Source
    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    fps: float
    first_frame_ms: float
    peak_memory_bytes: int
    fits: bool


@dataclass(frozen=True)
class Estimate:
    """An estimate, not a measurement, of decoding one clip in the best mode.

    Attributes:
        params: parameters of the decoder.
        flops: two per multiply-add, for the frames decoded.
        latency_ms: time to decode the clip, ms.
        latency_low_ms, latency_high_ms: bounds of its 90 % interval.
        fps: frames asked for per second of `latency_ms`.
        first_frame_ms: time until the first frame is done.
        peak_memory_bytes: weights, and the most activations alive at once, states of a streamed decoder
            included.
        fits: whether that is within `memory_limit_bytes`.
        memory_limit_bytes: what one app may use on the device, or what was given.
        mode: how the clip is decoded ("whole", "tiled", "streamed"): of the modes that fit the one with the
            lowest upper bound of the latency.
        modes: a row for each that was considered: tiles only where the whole clip doesn't fit, streaming only
            for designs that are causal in time.
        lowering: the form of the decoder, of those there are the one with the lowest upper bound; None as it
            was trained.
        units: share of the time by unit.
        standing: "extrapolated" where more than a tenth of the time is in operations far from what calibrated
            the profile, else "calibrated".
        reasons: what those operations are, the largest share of the time first.
        device: name of the profile.
        profile_version, profile_digest: which figures the profile held.
        resolution: (height, width) of the video asked for, pixels.
        frames: frames asked for.
        frames_decoded: frames that the decoder gives for the fewest latents that cover `frames`.
        latent_shape: of the clip, [1, C, T, H, W].
        program_shape: of what one run of the program decodes: the clip, a tile, or one latent [1, C, H, W].
        source: "coreml" (operations of the converted ML Program) or "trace" (operators of PyTorch).
        stages: one row per stage, in the order in which data meets them.
    """

    params: int
    flops: int
    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    fps: float
    first_frame_ms: float
    peak_memory_bytes: int
    fits: bool
    memory_limit_bytes: int
    mode: ModeName
    modes: tuple[ModeCost, ...]
    lowering: Lowering | None
    units: dict[str, float]
    standing: Literal["calibrated", "extrapolated"]
    reasons: tuple[str, ...]
    device: str
    profile_version: int
    profile_digest: str
    resolution: tuple[int, int]
    frames: int
    frames_decoded: int
    latent_shape: tuple[int, ...]
    program_shape: tuple[int, ...]
    source: Source
    stages: tuple[StageCost, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `"basis": "estimated"` says that nothing was measured."""
        return {
            **vars(self),
            "resolution": list(self.resolution),
            "latent_shape": list(self.latent_shape),
            "program_shape": list(self.program_shape),
            "basis": "estimated",
            "reasons": list(self.reasons),
            "modes": [vars(mode) for mode in self.modes],
            "stages": [vars(stage) for stage in self.stages],
        }


def estimate(
    config: DecoderConfig | Decodable,
    device: str | Path = "iphone-16-pro",
    resolution: tuple[int, int] = (512, 512),
    frames: int = 17,
    source: Source | None = None,
    lowering: Lowering | None = None,
    memory: int | None = None,
) -> Estimate:
    """What decoding one clip of `frames` frames costs on `device`.

    Latents cover the clip: ceil(size / compression) in height and width, and the fewest in time that give
    `frames`. Modes and lowerings are compared by trace; the best is then priced from `source`.

    Args:
        config: the decoder at full width, or an original's.
        device: a name from `devices()`, or the path of a profile in YAML.
        resolution: (height, width) of the video, pixels.
        frames: frames wanted.
        source: "coreml" converts each distinct block once (seconds, then kept on disk), "trace" takes
            milliseconds. By default "coreml" where the device runs Core ML.
        lowering: the form of the decoder; by default the best.
        memory: bytes that decoding may use; by default what the device gives one app.

    Raises:
        UserError: for an unknown device, a broken profile, a size or frame count below 1 or above `LONGEST`,
            an unknown source or lowering or one that the device or the decoder has not, no memory.
        ConversionError: with "coreml", where coremltools can't convert a block.
    """
    profile = load_device(device)
    decoder: Decodable = Design(config) if isinstance(config, DecoderConfig) else config
    _check_size(resolution, frames)
    source = _source(source, profile, decoder)
    lowerings = _lowerings(lowering, profile, decoder)
    if memory is not None and memory < 1:
        raise UserError(f"memory must be 1 byte or more, not {memory}")
    limit = int(profile.app_memory_gb.value * 1e9) if memory is None else memory
    latent = decoder.latent_shape(resolution, frames)
    decoded = decoder.frames_decoded(frames)

    def rank(mode: Mode) -> tuple[bool, float]:
        return mode.memory_bytes > limit, mode.total.bounds_ms(profile)[1]

    modes = [min((whole(decoder, latent, profile, "trace", form) for form in lowerings), key=rank)]
    if modes[0].memory_bytes > limit:
        in_forms = (tiled(decoder, latent, decoded, profile, "trace", form, limit) for form in lowerings)
        modes.append(min(in_forms, key=rank))
    if STREAMED in lowerings and (stream := streamed(decoder, latent, profile, "trace")) is not None:
        modes.append(stream)
    best = min(modes, key=rank)
    if source != "trace":
        converted = _converted(best, decoder, latent, decoded, profile, source)
        modes[modes.index(best)] = converted
        best = converted
    rows = {mode.name: _row(mode, profile, frames, limit) for mode in modes}
    row, total = rows[best.name], best.total
    unmeasured = sum(total.unmeasured.values()) / total.latency_ms
    return Estimate(
        params=total.params,
        flops=total.flops,
        latency_ms=row.latency_ms,
        latency_low_ms=row.latency_low_ms,
        latency_high_ms=row.latency_high_ms,
        fps=row.fps,
        first_frame_ms=row.first_frame_ms,
        peak_memory_bytes=row.peak_memory_bytes,
        fits=row.fits,
        memory_limit_bytes=limit,
        mode=row.mode,
        modes=tuple(rows.values()),
        lowering=row.lowering,
        units={unit: time / total.latency_ms for unit, time in total.units.items()},
        standing="extrapolated" if unmeasured > EXTRAPOLATED else "calibrated",
        reasons=_reasons(total),
        device=profile.name,
        profile_version=profile.version,
        profile_digest=profile.digest,
        resolution=resolution,
        frames=frames,
        frames_decoded=decoded,
        latent_shape=tuple(latent),
        program_shape=best.program_shape,
        source=row.source,
        stages=tuple(
            StageCost(name, cost.params, cost.flops, cost.bytes, cost.latency_ms, cost.peak_activation_bytes)
            for name, cost in best.stages
        ),
    )


def _converted(
    mode: Mode,
    decoder: Decodable,
    latent: tuple[int, ...],
    frames: int,
    profile: DeviceProfile,
    source: Source,
) -> Mode:
    """The same way to decode, tiles of the same shape included, priced from another source."""
    match mode.name:
        case "whole":
            return whole(decoder, latent, profile, source, mode.lowering)
        case "tiled":
            return in_tiles(decoder, latent, mode.program_shape, frames, profile, source, mode.lowering)
        case "streamed":
            converted = streamed(decoder, latent, profile, source)
            assert converted is not None, "it was priced by trace before"
            return converted


def _row(mode: Mode, profile: DeviceProfile, frames: int, limit: int) -> ModeCost:
    low, high = mode.total.bounds_ms(profile)
    return ModeCost(
        mode.name,
        mode.description,
        mode.lowering,
        mode.source,
        mode.total.latency_ms,
        low,
        high,
        frames / mode.total.latency_ms * 1e3,
        mode.first_frame_ms,
        mode.memory_bytes,
        mode.memory_bytes <= limit,
    )


def _reasons(total: Cost) -> tuple[str, ...]:
    unmeasured = {what: time / total.latency_ms for what, time in total.unmeasured.items()}
    shares = sorted(((share, what) for what, share in unmeasured.items()), reverse=True)
    return tuple(f"{share:.0%} of the time in {what}" for share, what in shares if share >= 0.005)


def _check_size(resolution: tuple[int, int], frames: int) -> None:
    if not 1 <= frames <= LONGEST:
        raise UserError(f"frames must be 1 to {LONGEST}, not {frames}")
    if not 1 <= min(resolution) <= max(resolution) <= LONGEST:
        raise UserError(
            f"resolution must be 1 to {LONGEST} in height and width, not {'x'.join(map(str, resolution))}"
        )


def _source(source: Source | None, profile: DeviceProfile, decoder: Decodable) -> Source:
    known = decoder.sources(profile.runtime)
    if source is None:
        return known[0]
    if source not in known:
        raise UserError(f"unknown source of costs {source!r}: known here are {', '.join(known)}")
    return source


def _lowerings(
    lowering: Lowering | None, profile: DeviceProfile, decoder: Decodable
) -> tuple[Lowering | None, ...]:
    known = decoder.lowerings(profile.runtime)
    if lowering is None:
        return known
    if lowering not in LOWERINGS:
        raise UserError(f"unknown lowering {lowering!r}: known are {', '.join(LOWERINGS)}")
    if lowering not in known:
        raise UserError(f"lowering {lowering!r} is for designs on devices that run Core ML")
    return (lowering,)
