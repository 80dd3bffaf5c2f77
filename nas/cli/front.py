"""The front of a study: as a table, as JSON and as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from search_space.counting import plural

if TYPE_CHECKING:
    import pandas as pd

    from analysis.uncertainty import SeedSpread

_WIDE = 140  # columns where there is no terminal to say
_NEIGHBOURS = 3  # trials, at most, that are named as not told apart from another


def output() -> Console:
    """Where results go: standard output, wide enough for a table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def write_picture(study: pd.DataFrame, objectives: list[str] | None, path: Path) -> None:
    """Draws the front of a study from `analysis.load_study` into a file, with what published designs cost.

    Raises:
        UserError: the file can't be written, or an objective is unknown.
    """
    from analysis import plot_front, save_figure
    from nas.cli.published import published_costs

    ax = plot_front(study, objectives, published=published_costs(study))
    save_figure(ax.figure, path)  # type: ignore[arg-type]  # of no other figure


def print_front(study: pd.DataFrame, front: pd.DataFrame, as_json: bool) -> None:
    """Prints a front, or why there is none.

    Args:
        study: a table from `analysis.load_study`.
        front: its rows from `analysis.pareto_front`.
        as_json: whether for a program, with every column and the trials that aren't told apart.
    """
    from analysis import flat, not_told_apart, seed_spread, why_none

    spread = seed_spread(study)
    alike = not_told_apart(front, spread)
    if as_json:
        rows = json.loads(
            flat(front.assign(not_told_apart=alike)).to_json(orient="records", date_format="iso")
        )
        print(json.dumps(rows, indent=2))
        return
    console = output()
    if front.empty:
        reason = why_none(study, study.attrs["study"]["constraints"])
        console.print(f"No front of {front.attrs['name']}: {reason}.", soft_wrap=True, markup=False)
        if not (study["outcome"] == "trained").any():
            console.print("The same `nas search` goes on with it, and `nas watch` shows how far it is.")
        return
    kind = "Confirmed" if front.attrs["confirmed"] else "Provisional"
    console.print(design_table(front, f"{kind} front of {front.attrs['name']}", alike, spread))


def design_table(
    designs: pd.DataFrame, title: str, alike: pd.Series | None = None, spread: SeedSpread | None = None
) -> Table:
    """One row a design.

    Args:
        designs: rows of `analysis.finalists` or `analysis.designs`.
        title: what they are; the clip and the device that costs are for are added.
        alike: of `analysis.not_told_apart`; None where designs are not compared.
        spread: what that rests on.
    """
    from analysis import described

    record = designs.attrs["study"]
    height, width = record["resolution"]
    clip = f"{plural(record['frames'], 'frame')} of {height}x{width}"
    caption = _caption(designs) if alike is None else f"{_caption(designs)} {_about_seeds(spread)}"
    table = Table(title=escape(f"{title}: {clip} on {record['device']}"), caption=escape(caption))
    table.add_column("trial", justify="right")
    table.add_column("design", overflow="fold")
    table.add_column("PSNR", justify="right", no_wrap=True)
    if spread is not None:
        table.add_column("≈ trials")
    for heading in ("SSIM", "ms", "fps", "M params", "GFLOP", "MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for index, row in zip(designs.index, designs.to_dict("records"), strict=True):
        table.add_row(
            str(row["number"]),
            escape(described(row)),
            f"{row['psnr']:.2f}",
            *([] if alike is None or spread is None else [_shortened(alike[index])]),
            f"{row['ssim']:.3f}",
            f"{row['latency_ms']:,.0f}",
            f"{row['fps']:.1f}",
            f"{row['params'] / 1e6:.1f}",
            f"{row['flops'] / 1e9:,.0f}",
            f"{row['peak_memory_bytes'] / 1e6:,.0f}",
        )
    return table


def _caption(designs: pd.DataFrame) -> str:
    """What the figures rest on."""
    record = designs.attrs["study"]
    coreml = (designs["source"] == "coreml").all() if len(designs) else False
    source = "from Core ML conversion" if coreml else "from a trace of operators"
    lines = [f"Costs are estimates {source}. Teacher: {record['weights']['description']}."]
    if designs.attrs["confirmed"]:
        lines.append(
            "Confirmed: only designs that were trained again, longer and by several seeds; their mean."
        )
    else:
        lines.append("Provisional: quality is that of short trainings.")
    if record["settings"]["proxy"] is not None:
        lines.append("Trained were narrowed proxies, which rank full designs only roughly.")
    return " ".join(lines)


def _about_seeds(spread: SeedSpread | None) -> str:
    """How far quality moves between seeds, as far as a study shows."""
    if spread is None:
        return "No design was trained twice, so how far seeds alone move its PSNR is not known."
    return (
        f"Seeds alone move PSNR by {spread.deviation:.2f} dB (standard deviation,"
        f" {plural(spread.degrees, 'degree')} of freedom): a design can't be told apart in quality from those"
        " after ≈."
    )


def _shortened(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NEIGHBOURS]))
    return f"{shown}, …" if len(numbers) > _NEIGHBOURS else shown
