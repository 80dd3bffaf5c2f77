"""`run_decoder`: what decoding one clip takes on this machine, measured by decoding it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nas.calibration.subjects import Subject
from nas.calibration.timing import Runtime, describe, time_module
from search_space.errors import UserError


@dataclass(frozen=True)
class Measured:
    """A measurement of decoding one clip, with random weights.

    Attributes:
        params: parameters of the decoder.
        latency_ms: median time of a clip, ms.
        spread: half of what lies between the 16th and the 84th percentile, over the median.
        samples: clips that were timed, after two that warm up.
        fps: frames asked for per second of `latency_ms`.
        peak_memory_bytes: the most that PyTorch held on a CUDA device; None on the host, which doesn't count.
        device: "host" or "cuda".
        device_description: the processor or GPU, the precision and PyTorch.
        resolution: (height, width) of the video asked for, pixels.
        frames: frames asked for.
        latent_shape: what was decoded, [1, C, T, H, W].
    """

    params: int
    latency_ms: float
    spread: float
    samples: int
    fps: float
    peak_memory_bytes: int | None
    device: Runtime
    device_description: str
    resolution: tuple[int, int]
    frames: int
    latent_shape: Sequence[int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `"basis": "measured"` says that it ran."""
        return {
            **vars(self),
            "resolution": list(self.resolution),
            "latent_shape": list(self.latent_shape),
            "basis": "measured",
        }


def run_decoder(decoder: Subject, runtime: Runtime) -> Measured:
    """Decodes the subject's clip on this machine.

    Raises:
        UserError: "cuda" where there is no such device, or the decoder doesn't fit in its memory.
    """
    described = describe(runtime)
    module = decoder.build()
    if runtime == "cuda":
        torch.cuda.reset_peak_memory_stats()
    try:
        timing = time_module(module, decoder.input_shape, runtime)
    except torch.OutOfMemoryError:
        raise UserError(f"{decoder.name} does not fit in the memory of {described}: ask for less") from None
    return Measured(
        params=sum(parameter.numel() for parameter in module.parameters()),
        latency_ms=timing.latency_ms,
        spread=timing.spread,
        samples=timing.samples,
        fps=decoder.frames / timing.latency_ms * 1e3,
        peak_memory_bytes=torch.cuda.max_memory_allocated() if runtime == "cuda" else None,
        device=runtime,
        device_description=described,
        resolution=decoder.resolution,
        frames=decoder.frames,
        latent_shape=decoder.input_shape,
    )
