"""Core ML packages of an exported design, of the very form that was priced for its device."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nas.costs import estimate
from nas.export import load_exported
from nas.lowering import Lowering
from nas.lowering.package import save_package, save_streaming_packages
from search_space.errors import UserError

WHOLE, FIRST, LATER = "decoder.mlpackage", "first_latent.mlpackage", "later_latents.mlpackage"


@dataclass(frozen=True)
class Packaged:
    """What was written: `paths` together decode a clip by `description`, in the form `lowering`."""

    paths: tuple[Path, ...]
    lowering: Lowering
    description: str


def package_exported(
    folder: Path,
    device: str | Path,
    resolution: tuple[int, int],
    frames: int,
    bits: int = 16,
    memory: int | None = None,
) -> Packaged:
    """Adds the packages of an exported design to its folder, in place of older ones of whatever mode.

    Args:
        folder: as `nas.export.export` writes it.
        device, resolution, frames, memory: as of `nas.costs.estimate`, which decides the mode (the whole clip
            at once, tiles, or latent by latent) and the lowering.
        bits: of a weight: 16, or 8 or 4 by palettes.

    Raises:
        UserError: the folder is no exported design, or the device runs no Core ML; and as `estimate`.
        ConversionError: where coremltools can't convert the decoder.
        OSError: where a package can't be written.
    """
    decoder = load_exported(folder)
    # Whatever the source of its price, `estimate` chooses by trace.
    cost = estimate(decoder.config, device, resolution, frames, "trace", memory=memory)
    if cost.lowering is None:
        raise UserError(f"device {cost.device} runs no Core ML: give a phone, tablet or Mac of `nas devices`")
    description = next(mode.description for mode in cost.modes if mode.mode == cost.mode)
    if cost.mode == "streamed":
        first, later = folder / FIRST, folder / LATER
        save_streaming_packages(decoder, cost.program_shape, first, later, bits)
        written: tuple[Path, ...] = (first, later)
    else:
        save_package(decoder, cost.lowering, cost.program_shape, folder / WHOLE, bits)
        written = (folder / WHOLE,)
    for name in (WHOLE, FIRST, LATER):
        if folder / name not in written and (folder / name).exists():
            shutil.rmtree(folder / name)  # of another mode: nobody could tell which one counts
    return Packaged(written, cost.lowering, description)
