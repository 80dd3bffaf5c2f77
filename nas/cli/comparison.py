"""Comparisons of designs and of studies, as tables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = {  # column: heading, what a value is divided by, digits
    "latency_ms": ("Latency, ms", 1.0, 1),
    "params": ("Parameters, M", 1e6, 2),
    "flops": ("Arithmetic, GFLOP", 1e9, 1),
    "bytes": ("Memory traffic, MB", 1e6, 0),
}
_HEADINGS = {
    "joint": "of it on the front of all",
    "seed_spread": "seeds move PSNR by, dB",
    "trained": "designs trained",
    "front": "on its front",
}
_LONGEST = 60  # characters of a value in a definition


def print_designs(stages: pd.DataFrame, clip: str, as_json: bool) -> None:
    """Prints where the costs of designs go, stage by stage, each amount with its share of the whole.

    Args:
        stages: as `analysis.compare_designs` takes them, and ``built``, what each stage is.
        clip: that costs are for, on what, and how they were estimated.
        as_json: whether for a program.
    """
    from rich.markup import escape
    from rich.table import Table

    from analysis import compare_designs
    from analysis.design_comparison import WHOLE, stage_order
    from nas.cli.front import output

    compared = compare_designs(stages)
    if as_json:
        rows = json.loads(compared.to_json(orient="records"))
        built = stages.set_index(["design", "stage"])["built"].to_dict()
        typer.echo(
            json.dumps([row | {"built": built.get((row["design"], row["stage"]))} for row in rows], indent=2)
        )
        return
    console = output()
    designs = list(dict.fromkeys(stages["design"]))
    order = [*stage_order(stages), WHOLE]

    def show(heading: str, cells: Mapping[tuple[str, str], str]) -> None:
        table = Table(escape(heading))
        for design in designs:
            table.add_column(escape(design), justify="right", overflow="fold")
        for stage in order:
            if any((design, stage) in cells for design in designs):
                table.add_row(stage, *[escape(cells.get((design, stage), "")) for design in designs])
        console.print(table)

    known = stages[stages["built"].notna()]
    show("Built", dict(zip(zip(known["design"], known["stage"], strict=True), known["built"], strict=True)))
    by_stage = compared.set_index(["design", "stage"])
    for amount, (heading, divisor, digits) in AMOUNTS.items():
        values, shares = by_stage[amount] / divisor, by_stage[f"{amount}.share"]
        show(heading, {key: f"{values[key]:,.{digits}f} {shares[key]:>5.0%}" for key in by_stage.index})
    console.print(f"estimated for {clip}, not measured", soft_wrap=True, markup=False)


def draw_designs(stages: pd.DataFrame, path: Path) -> None:
    """Draws the milliseconds of each stage into a file. Raises UserError where it can't be written."""
    from analysis import plot_stages, save_figure

    save_figure(plot_stages(stages).figure, path)  # type: ignore[arg-type]  # of no other figure


def draw_studies(studies: Mapping[str, pd.DataFrame], objectives: list[str] | None, path: Path) -> None:
    """Draws the fronts into one file. Raises UserError where it can't be written, or for an objective."""
    from analysis import plot_studies, save_figure

    save_figure(plot_studies(studies, objectives).figure, path)  # type: ignore[arg-type]  # of no other figure


def print_studies(
    studies: Mapping[str, pd.DataFrame], objectives: Sequence[str] | None, as_json: bool
) -> None:
    """Prints fronts side by side, what the studies' definitions differ in, and what doesn't compare.

    Args:
        studies: tables of `analysis.load_study`, by what to call them.
        objectives: of the fronts; None for those of the first study.
        as_json: whether for a program.
    """
    from rich.markup import escape
    from rich.table import Table

    from analysis import compare_studies, definition_differences
    from nas.cli.front import output

    compared = compare_studies(studies, objectives)
    differences = definition_differences(studies)
    if as_json:
        found = {
            "studies": json.loads(compared.reset_index().to_json(orient="records")),
            "differences": differences.T.to_dict(),
        }
        typer.echo(json.dumps(found | compared.attrs, indent=2))
        return
    console = output()
    table = Table("", *[escape(name) for name in compared.index])
    for column in compared.columns:
        heading = _HEADINGS.get(column, column.replace(".", " "))
        table.add_row(escape(heading), *[escape(_word(value)) for value in compared[column]])
    console.print(table)
    corner = " and ".join(f"{name} {value:,.4g}" for name, value in compared.attrs["reference"].items())
    console.print(f"hypervolumes from {corner}, of the provisional fronts", soft_wrap=True, markup=False)
    for sentence in compared.attrs["incomparable"]:
        console.print(sentence, soft_wrap=True, markup=False)
    if len(differences):
        table = Table("defined by", *[escape(name) for name in differences.columns])
        for key, row in differences.iterrows():
            table.add_row(escape(str(key)), *[escape(_word(value)) for value in row])
        console.print(table)
    else:
        console.print("defined by the same")


def _word(value: object) -> str:
    """A value in a cell."""
    if isinstance(value, float):
        return "unknown" if value != value else f"{value:,.4g}"
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
