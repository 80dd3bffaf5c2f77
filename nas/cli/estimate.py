"""`nas estimate`: what a design costs on a device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nas.cli.values import DEVICE, MEMORY, parse_memory, parse_resolution
from search_space.counting import plural

if TYPE_CHECKING:
    from nas.calibration.timing import Runtime
    from nas.costs import Estimate
    from nas.costs.blocks import Decodable
    from search_space import DecoderConfig


def estimate(
    config: Annotated[
        Path,
        typer.Argument(help="A design's CONFIG.json, or an original's of diffusers.", metavar="CONFIG.json"),
    ],
    device: Annotated[
        str, typer.Option(help=f"{DEVICE} host and cuda run the decoder here and measure it.")
    ] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="Height x width of the video, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 17,
    source: Annotated[
        Literal["coreml", "trace"] | None,
        typer.Option(
            help="coreml converts each block once and remembers; trace is quick and rougher."
            " \\[default: coreml where the device runs it]",
            show_default=False,
        ),
    ] = None,
    lowering: Annotated[
        Literal["conv3d", "shifted_2d"] | None,
        typer.Option(
            help="Form of 3D convolutions on the device. \\[default: the faster]", show_default=False
        ),
    ] = None,
    memory: Annotated[str | None, typer.Option(help=MEMORY, show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Estimate parameters, FLOPs, latency and memory of a design, or of a teacher's own decoder.

    Example: nas estimate CONFIG.json --device iphone-16-pro --resolution 512x512
    """
    height_width = parse_resolution(resolution)
    limit = None if memory is None else parse_memory(memory)
    from nas.calibration.timing import RUNTIMES
    from nas.costs import estimate as price

    if device in RUNTIMES:
        given = {"--source": source, "--lowering": lowering, "--memory": memory}
        _refuse(device, [flag for flag, value in given.items() if value is not None])
        _run(config, next(name for name in RUNTIMES if name == device), height_width, frames, as_json)
        return
    costs = price(_decoder(config), device, height_width, frames, source, lowering, limit)
    if as_json:
        typer.echo(json.dumps(costs.to_dict(), indent=2))
    else:
        _show(costs, config)


def _refuse(device: str, flags: list[str]) -> None:
    """Says which flags nothing would come of where a decoder is run.

    Raises:
        UserError: there are such flags.
    """
    from search_space.errors import UserError

    if flags:
        raise UserError(f"{', '.join(flags)}: for estimates; --device {device} runs the decoder as trained")


def _run(config: Path, device: Runtime, resolution: tuple[int, int], frames: int, as_json: bool) -> None:
    """Measures the decoder on this machine instead of estimating it."""
    from nas.calibration.running import run_decoder
    from nas.calibration.subjects import decoder_subject

    measured = run_decoder(decoder_subject(str(config), Path(), resolution, frames), device)
    if as_json:
        typer.echo(json.dumps(measured.to_dict(), indent=2))
        return
    size = "x".join(map(str, resolution))
    typer.echo(
        f"{measured.params:,} parameters\n"
        f"{measured.latency_ms:,.2f} ms, spread {measured.spread:.1%} of {measured.samples} samples:"
        f" {measured.fps:.1f} frames/s on {measured.device_description} ({plural(frames, 'frame')} of {size};"
        " measured, not estimated)"
    )
    if measured.peak_memory_bytes is not None:
        typer.echo(f"peak memory {measured.peak_memory_bytes / 1e6:,.0f} MB")


def _decoder(path: Path) -> DecoderConfig | Decodable:
    """The design or the original that a JSON file configures.

    Raises:
        UserError: it is neither.
    """
    from nas.costs.originals import is_original, original
    from search_space import DecoderConfig

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None  # `DecoderConfig.load` says what is wrong
    if isinstance(content, dict) and is_original(content):
        return original(content)
    return DecoderConfig.load(path)


def _show(costs: Estimate, config: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    stages = Table("stage", "params", "GFLOP", "MB moved", "ms", title=f"{config}, estimated")
    for column in stages.columns[1:]:
        column.justify = "right"
    for stage in costs.stages:
        stages.add_row(
            stage.name,
            f"{stage.params:,}",
            f"{stage.flops / 1e9:,.1f}",
            f"{stage.bytes / 1e6:,.0f}",
            f"{stage.latency_ms:,.1f}",
        )
    console.print(stages)
    if len(costs.modes) > 1:
        modes = Table("mode", "how", "ms", "frames/s", "first frame, ms", "peak MB", "fits")
        for column in modes.columns[2:]:
            column.justify = "right"
        for mode in costs.modes:
            modes.add_row(
                mode.mode,
                mode.description,
                f"{mode.latency_ms:,.0f}",
                f"{mode.fps:.1f}",
                f"{mode.first_frame_ms:,.0f}",
                f"{mode.peak_memory_bytes / 1e6:,.0f}",
                "yes" if mode.fits else "no",
            )
        console.print(modes)
    size = "x".join(map(str, costs.resolution))
    units = ", ".join(f"{share:.0%} on {unit}" for unit, share in costs.units.items() if share >= 0.005)
    form = "" if costs.lowering is None else f" as {costs.lowering}"
    console.print(
        f"{costs.params:,} parameters, {costs.flops / 1e12:.3f} TFLOP (2 per multiply-add)\n"
        f"{costs.latency_ms:,.0f} ms, with 90 % from {costs.latency_low_ms:,.0f} to"
        f" {costs.latency_high_ms:,.0f}: {costs.fps:.1f} frames/s on {costs.device}"
        f" ({plural(costs.frames, 'frame')} of {size}; estimated, not measured)\n"
        f"{costs.mode}{form}, {units}; the first frame after {costs.first_frame_ms:,.0f} ms\n"
        f"peak memory {costs.peak_memory_bytes / 1e6:,.0f} MB:"
        f" {'fits' if costs.fits else 'does not fit'} in {costs.memory_limit_bytes / 1e6:,.4g} MB"
    )
    beyond = "".join(f"\n  {reason}" for reason in costs.reasons)
    apart = ":" if costs.standing == "extrapolated" else ", apart from"
    console.print(f"{costs.standing}{apart}{beyond}" if beyond else costs.standing)
