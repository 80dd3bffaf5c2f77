"""`nas sweep`: what the designs of a space cost, before any of them is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nas.cli.values import DEVICE, MEMORY, parse_memory, parse_resolution
from search_space.counting import plural

if TYPE_CHECKING:
    import pandas as pd

    from nas.sweep import Priced, Sweep
    from search_space import SearchSpace
    from search_space.conditions import Condition

_SHOWN = 16  # designs of the front, at most, that are printed
_COSTS = ("latency_ms", "fps", "params", "flops", "peak_memory_bytes")


def sweep(
    teacher: Annotated[
        str, typer.Option(help="A name from `nas teachers`, or the directory of an autoencoder.")
    ] = "wan",
    samples: Annotated[int, typer.Option(help="Random designs to price.")] = 100_000,
    device: Annotated[str, typer.Option(help=DEVICE)] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="Height x width of the video, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 17,
    memory: Annotated[str | None, typer.Option(help=MEMORY)] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(help='What counts, may be repeated: "params<=45M", "fps>=24", "fits".'),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="A teacher's space, or a YAML file. \\[default: the teacher's]")
    ] = None,
    source: Annotated[
        Literal["coreml", "trace"],
        typer.Option(help="coreml converts every block of the space: hours the first time."),
    ] = "trace",
    table: Annotated[Path | None, typer.Option(help="Write all designs (.csv or .parquet).")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the space (.png, .svg or .pdf).")] = None,
    seed: Annotated[int, typer.Option(help="Of the designs drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Price many random designs of a space, and find those of all that do the most arithmetic in their time.

    Example: nas sweep --teacher wan --constraint "fps>=24" --table wan.parquet --png wan.png
    """
    height_width = parse_resolution(resolution)
    limit = None if memory is None else parse_memory(memory)
    from nas.cli.steps import StepsDisplay
    from nas.constraints import parse_constraints
    from nas.costs import load_device
    from nas.costs.tables.space_costs import SpaceCosts
    from nas.sweep import sweep as run_sweep

    if table is not None or png is not None:
        from analysis.output import check_picture, check_table

        if table is not None:
            check_table(table)
        if png is not None:
            check_picture(png)
    constraints = parse_constraints(constraint or ())
    profile = load_device(device)
    swept = _space(space, teacher)
    with StepsDisplay() as display:
        costs = SpaceCosts(
            swept,
            profile,
            height_width,
            frames,
            source,
            limit,
            progress=lambda done, total: display.steps("pricing the parts of designs", done, total),
        )
        found = run_sweep(swept, costs, samples, seed, display.steps)
    record = {
        "teacher": swept.teacher,
        "size": swept.size,
        "device": profile.name,
        "profile_digest": profile.digest,
        "resolution": list(height_width),
        "frames": frames,
        "memory_limit_bytes": costs.limit,
        "source": source,
        "seed": seed,
        "basis": "estimated",
        "constraints": [str(one) for one in constraints],
    }
    if table is not None or png is not None:
        _write(swept, found, constraints, record, table, png)
    if as_json:
        typer.echo(json.dumps(_summary(swept, found, constraints, record), indent=2))
    else:
        _print(swept, found, constraints, record)


def _space(name: str | None, teacher: str) -> SearchSpace:
    """The space asked for, or else that of the teacher."""
    from search_space import SearchSpace

    if name is not None:
        return SearchSpace.preset(name) if name in SearchSpace.presets() else SearchSpace.load(name)
    if not Path(teacher).is_dir():
        return SearchSpace.preset(teacher)
    from nas.inputs import fitting_space
    from nas.teachers import load_teacher

    return fitting_space(None, load_teacher(teacher))


def _shares(found: Sweep, constraints: tuple[Condition, ...]) -> dict[str, float]:
    """How much of the designs drawn meets each constraint and, where there are several, all of them."""
    shares = {str(one): float(found.drawn.meeting([one]).mean()) for one in constraints}
    return shares | (
        {"all of them": float(found.drawn.meeting(constraints).mean())} if len(shares) > 1 else {}
    )


def _summary(
    space: SearchSpace, found: Sweep, constraints: tuple[Condition, ...], record: dict[str, Any]
) -> dict[str, Any]:
    import numpy as np

    from nas.sweep import is_exact

    percentiles = (5, 50, 95)
    front = found.front[found.front.meeting(constraints)]
    return record | {
        "drawn": len(found.drawn.designs),
        "shares": _shares(found, constraints),
        "costs": {
            name: dict(
                zip(
                    map(str, percentiles),
                    np.percentile(getattr(found.drawn.costs, name), percentiles),
                    strict=True,
                )
            )
            for name in _COSTS
        },
        "front_is_exact": is_exact(constraints),
        "front": [
            {"hash": config.hash, **_row(front, index), "config": config.to_dict()}
            for index, config in enumerate(map(space.at, front.designs))
        ],
    }


def _row(priced: Priced, index: int) -> dict[str, Any]:
    values = {name: column[index] for name, column in vars(priced.costs).items()}
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}


def _print(
    space: SearchSpace, found: Sweep, constraints: tuple[Condition, ...], record: dict[str, Any]
) -> None:
    import numpy as np
    from rich.table import Table

    from nas.cli.front import output
    from nas.sweep import is_exact

    console = output()
    height, width = record["resolution"]
    clip = f"{plural(record['frames'], 'frame')} of {height}x{width} on {record['device']}"
    console.print(
        f"space of {record['teacher']}: {space.size:.3g} designs, {len(found.drawn.designs):,} drawn as a"
        f" search draws them; {clip}, estimated by {record['source']}",
        soft_wrap=True,
    )
    quantiles = Table("of those drawn", *("ms", "fps", "M params", "GFLOP", "MB"))
    for name, percentile in (("5 %", 5), ("half", 50), ("95 %", 95)):
        at = {cost: np.percentile(getattr(found.drawn.costs, cost), percentile) for cost in _COSTS}
        quantiles.add_row(f"{name} are below", *_amounts(at))
    named = zip(found.titles, range(len(found.titles)), strict=True)
    for title, index in named:
        quantiles.add_row(title, *_amounts(_row(found.named, index)))
    console.print(quantiles)
    for text, share in _shares(found, constraints).items():
        console.print(f"{share:7.2%} of them meet {text}", highlight=False)
    front = found.front[found.front.meeting(constraints)]
    rows = Table(
        "stages, latent to pixels",
        *("ms", "90 % interval", "fps", "M params", "GFLOP", "MB", "decoded"),
        title=f"Most arithmetic in the least time, tiles apart: front of the whole space,"
        f" {plural(len(found.front.designs), 'design')}"
        + (f", of which {len(front.designs):,} meet the constraints" if constraints else ""),
    )
    count = len(front.designs)
    for index in np.linspace(0, count - 1, min(count, _SHOWN)).round().astype(int):
        row = _row(front, index)
        amounts = _amounts(row)
        interval = f"{row['latency_low_ms']:,.0f} to {row['latency_high_ms']:,.0f}"
        way = f"{row['mode']}, {row['lowering'] or 'as trained'}"
        rows.add_row(_stages(space, front.designs[index]), amounts[0], interval, *amounts[1:], way)
    for column in (*quantiles.columns[1:], *rows.columns[1:-1]):
        column.justify = "right"
    console.print(rows if len(front.designs) else "no design on the front meets the constraints")
    if not is_exact(constraints):
        console.print(
            "of designs that meet the constraints some may be missing that only others beat: the front is"
            " exact under bounds on time from above and on FLOPs from below",
            soft_wrap=True,
        )


def _amounts(costs: dict[str, Any]) -> list[str]:
    return [
        f"{costs['latency_ms']:,.0f}",
        f"{costs['fps']:,.1f}",
        f"{costs['params'] / 1e6:,.1f}",
        f"{costs['flops'] / 1e9:,.0f}",
        f"{costs['peak_memory_bytes'] / 1e6:,.0f}",
    ]


def _stages(space: SearchSpace, design: Any) -> str:
    """Blocks, convolution and width of each stage, latent to pixels, and the patch: `2 dw5 256, ..., p2`."""
    config = space.at(design)
    stages = [f"{stage.blocks} {stage.conv} {stage.width}" for stage in config.stages]
    return ", ".join([*stages, f"p{config.patch_size}"])


def _write(
    space: SearchSpace,
    found: Sweep,
    constraints: tuple[Condition, ...],
    record: dict[str, Any],
    table: Path | None,
    png: Path | None,
) -> None:
    import pandas as pd

    from analysis import plot_space, save_figure, write_table

    drawn, named, front = (
        _frame(space, priced).assign(kind=kind, meets=priced.meeting(constraints))
        for kind, priced in (("drawn", found.drawn), ("named", found.named), ("front", found.front))
    )
    named["name"] = found.titles
    if table is not None:
        write_table(pd.concat([drawn, named, front], ignore_index=True), table)
    if png is not None:
        shown = pd.concat([drawn, named], ignore_index=True)
        shown.attrs["sweep"] = record
        save_figure(plot_space(shown, front).figure, png)  # type: ignore[arg-type]  # of no other figure


def _frame(space: SearchSpace, priced: Priced) -> pd.DataFrame:
    """One row a design: what was chosen for it, then its costs."""
    import numpy as np
    import pandas as pd

    choices = {
        parameter.name.removesuffix("_rank"): np.array(parameter.choices)[positions]
        for parameter, positions in zip(space.asked, priced.designs.T, strict=True)
    }
    return pd.DataFrame({"name": None, **choices, **vars(priced.costs)})
