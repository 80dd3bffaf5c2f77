"""What can be timed and priced: a probe, a design, or the decoder of an original autoencoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nas.calibration.probes import PROBES, Probe, parse_probe
from nas.costs.blocks import Decodable, Design
from nas.costs.originals import Original, is_original, original
from search_space import DecoderConfig, build_decoder, design, designs
from search_space.errors import UserError


@dataclass(frozen=True)
class Subject:
    """Something that runs on a device.

    Attributes:
        name: as a table of measurements calls it.
        config_hash: `DecoderConfig.hash` of a design, else empty.
        decodable: the design or the original; None for a probe.
        resolution, frames: the clip that a decoder gives; (0, 0) and 0 for a probe.
        input_shape: what it is given, [1, C, T, H, W].
        build: makes the module, with random weights.
    """

    name: str
    config_hash: str
    decodable: Decodable | None
    resolution: tuple[int, int]
    frames: int
    input_shape: Sequence[int]
    build: Callable[[], nn.Module]


def probe_subject(probe: Probe) -> Subject:
    """A probe, which holds its own sizes."""
    return Subject(probe.name, "", None, (0, 0), 0, probe.input_shape, probe.build)


def decoder_subject(name: str, folder: Path, resolution: tuple[int, int], frames: int) -> Subject:
    """A design of the catalogue by its name, or the configuration in the JSON file `folder / name`.

    Raises:
        UserError: where there is no such design or file, or it is no decoder's configuration.
    """
    if name in designs():
        return _design_subject(name, design(name), resolution, frames)
    path = folder / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None  # `DecoderConfig.load` says what is wrong
    if isinstance(content, dict) and is_original(content):
        return _original_subject(name, original(content), resolution, frames)
    return _design_subject(name, DecoderConfig.load(path), resolution, frames)


def find_subject(name: str, folder: Path, resolution: tuple[int, int], frames: int) -> Subject:
    """What a row of measurements is of: a probe where `frames` is 0, else a decoder.

    Raises:
        UserError: where there is no such thing.
    """
    if frames:
        return decoder_subject(name, folder, resolution, frames)
    if name.split("-")[0] not in PROBES:
        raise UserError(f"{name} is no probe: give the resolution and the frames of a decoder's clip")
    return probe_subject(parse_probe(name))


def _design_subject(name: str, config: DecoderConfig, resolution: tuple[int, int], frames: int) -> Subject:
    decodable = Design(config)
    shape = decodable.latent_shape(resolution, frames)
    return Subject(name, config.hash, decodable, resolution, frames, shape, lambda: build_decoder(config))


def _original_subject(name: str, found: Original, resolution: tuple[int, int], frames: int) -> Subject:
    shape = found.latent_shape(resolution, frames)
    return Subject(name, "", found, resolution, frames, shape, found.build)
