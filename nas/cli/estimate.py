"""`nas estimate`: what a design costs on a device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from nas.cli.values import DEVICE, parse_resolution


def estimate(
    config: Annotated[Path, typer.Argument(help="A design's CONFIG.json.", metavar="CONFIG.json")],
    device: Annotated[str, typer.Option(help=DEVICE)] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="Height x width of the video, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 17,
    source: Annotated[
        Literal["coreml", "trace"],
        typer.Option(help="coreml converts each block once and remembers; trace is quick and rougher."),
    ] = "coreml",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Estimate parameters, FLOPs, latency and memory of a design.

    Example: nas estimate CONFIG.json --device iphone-16-pro --resolution 512x512
    """
    height_width = parse_resolution(resolution)
    from nas.costs import estimate as price
    from search_space import DecoderConfig

    costs = price(DecoderConfig.load(config), device, height_width, frames, source).to_dict()
    if as_json:
        typer.echo(json.dumps(costs, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table("stage", *(["params", "GFLOP", "MB moved", "ms"]), title=f"{config}, {costs['basis']}")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage in costs["stages"]:
        table.add_row(
            stage["name"],
            f"{stage['params']:,}",
            f"{stage['flops'] / 1e9:,.1f}",
            f"{stage['bytes'] / 1e6:,.0f}",
            f"{stage['latency_ms']:,.1f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"{costs['params']:,} parameters, {costs['flops'] / 1e12:.3f} TFLOP (2 per multiply-add),"
        f" {costs['latency_ms']:,.0f} ms, {costs['fps']:.1f} frames/s on {costs['device']}"
        f" ({costs['frames']} frames of {resolution}; estimated, not measured)"
    )
    fits = "fits" if costs["fits"] else "does not fit"
    console.print(f"peak memory {costs['peak_memory_bytes'] / 1e6:,.0f} MB: {fits} in what one app may use")
