"""Probes as Core ML packages: what is measured on a phone, tablet or Mac to fit its profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nas.calibration.measurements import Measurement, write_measurements
from nas.calibration.probes import BLOCK_PROBES, Probe
from nas.lowering import LOWERINGS, Lowering
from nas.lowering.blocks import lower_block
from nas.lowering.conversion import convert, quiet
from search_space.errors import UserError

TABLE = "measured.csv"
GUIDE = "README.md"

# Sizes at which the stages of a decoder with a compression of 4x8x8 run for 17 frames of 512x512.
_SIZES = ((5, 64, 64), (9, 128, 128), (17, 256, 256), (17, 512, 512))
_WIDTHS = (256, 128, 64, 16)
_LOWERED_TWO_WAYS = ("residual_dense", "residual_dw3", "residual_dw7", "output")


@dataclass(frozen=True)
class PackagedProbe:
    """A block of a decoder in the form in which Core ML is given it."""

    probe: Probe
    lowering: Lowering

    @property
    def file_name(self) -> str:
        """Of its package."""
        return f"{self.probe.name}-{self.lowering}.mlpackage"

    def lowered(self) -> tuple[nn.Module, tuple[int, ...]]:
        """The lowered block and the shape of its input, [1, C, T, H, W] or [T, C, H, W].

        Raises:
            UserError: where the probe is no block of a decoder.
        """
        if self.probe.operator not in BLOCK_PROBES:
            raise UserError(f"probe {self.probe.name} is for PyTorch: phones are given blocks of decoders")
        block = lower_block(self.probe.build(), self.lowering).eval()
        _, channels, *size = self.probe.input_shape
        clip = (1, channels, *size)
        return block, clip if block.takes == "clip" else (size[0], channels, *size[1:])

    def save(self, path: Path) -> None:
        """Writes the package, `x` to `y`.

        Raises:
            ConversionError: where coremltools can't convert it.
        """
        module, shape = self.lowered()
        model = convert(module, {"x": shape}, ["y"])
        with quiet():
            model.save(str(path))


def packaged_probes() -> list[PackagedProbe]:
    """Blocks over channel widths and sizes, both lowerings where they differ: a few dozen."""
    blocks = [
        Probe(f"residual_{conv}", (width, width), size)
        for conv in ("dense", "dw3", "dw7", "spatial")
        for width, size in zip(_WIDTHS, _SIZES, strict=True)
    ]
    for width in (8, 32, 64):
        blocks += [Probe(f"residual_{conv}", (width, width), _SIZES[-1]) for conv in ("dense", "spatial")]
    blocks.append(Probe("residual_dense", (256, 64), _SIZES[1]))
    for upsampler in ("decoupled_pixel_shuffle", "transposed", "nearest", "bilinear"):
        blocks.append(Probe(f"{upsampler}_upsampler_in_time", (64, 64), _SIZES[1]))
    blocks.append(Probe("output", (16, 3), _SIZES[-1]))
    found = []
    for probe in blocks:
        forms = LOWERINGS if probe.operator in _LOWERED_TWO_WAYS else LOWERINGS[:1]
        found += [PackagedProbe(probe, lowering) for lowering in forms]
    return found


def write_packages(folder: Path, say: Callable[[str], None]) -> int:
    """Writes every package, a guide and a table to fill in to a new folder; returns how many packages.

    Raises:
        UserError: where the folder holds something.
        ConversionError: where coremltools can't convert a probe.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} isn't empty: give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    probes = packaged_probes()
    for number, packaged in enumerate(probes, 1):
        packaged.save(folder / packaged.file_name)
        say(f"[{number}/{len(probes)}] {packaged.file_name}")
    empty = [
        Measurement(packaged.probe.name, "", (0, 0), 0, "iphone", "", packaged.lowering, 0.0, 0.0, 0)
        for packaged in probes
    ]
    write_measurements(folder / TABLE, empty)
    guide = Path(__file__).with_name("probe_guide.md").read_text(encoding="utf-8")
    (folder / GUIDE).write_text(guide, encoding="utf-8")
    return len(probes)
