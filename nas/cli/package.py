"""`nas package`: Core ML packages of an exported design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nas.cli.values import DEVICE, MEMORY, parse_memory, parse_resolution
from search_space.counting import plural


def package(
    folder: Annotated[Path, typer.Argument(help="An exported design.", metavar="DIR")],
    device: Annotated[str, typer.Option(help=DEVICE)] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="Height x width of the video, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 17,
    memory: Annotated[str | None, typer.Option(help=MEMORY, show_default=False)] = None,
    bits: Annotated[Literal["16", "8", "4"], typer.Option(help="Of a weight; below 16 by palettes.")] = "16",
) -> None:
    """Write the Core ML packages of an exported design, trained or not, into its folder.

    Example: nas package decoder --device iphone-16-pro --bits 8
    """
    limit = None if memory is None else parse_memory(memory)
    write_packages(folder, device, parse_resolution(resolution), frames, limit, int(bits))


def write_packages(
    folder: Path,
    device: str,
    resolution: tuple[int, int],
    frames: int,
    memory: int | None,
    bits: int = 16,
) -> None:
    """Writes them and says what they are; arguments as of `nas.deployment.package_exported`.

    Raises:
        UserError: as `nas.deployment.package_exported`.
    """
    from nas.deployment import package_exported

    size = f"{plural(frames, 'frame')} of {resolution[0]}x{resolution[1]}"
    typer.echo(f"converting to Core ML for {size} on {device} ...", err=True)
    packaged = package_exported(folder, device, resolution, frames, bits, memory)
    for path in packaged.paths:
        megabytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        typer.echo(f"{path}: {megabytes:.1f} MB, {packaged.lowering}, {packaged.description}")
