"""`nas explain`: which choices matter in a study, and what each gives at equal latency."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.pareto import NAME, STUDY
from search_space.counting import plural

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

_SLOW = 100  # designs above which forests take more than two seconds


def explain(
    study: Annotated[str, STUDY],
    objectives: Annotated[
        str | None, typer.Option(help="Comma-separated columns. \\[default: those of the search]")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Draw what each level gives (.png, .svg or .pdf).")] = None,
    name: Annotated[str | None, NAME] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every level.")] = False,
) -> None:
    """Say which choices matter for each objective, and what each level of them gives at equal latency.

    Example: nas explain runs/wan
    """
    import pandas as pd

    from analysis import choice_effects, designs, importances, load_study, seed_spread
    from analysis.quantities import objectives_of
    from nas.cli.front import output

    table = load_study(study, name)
    asked = None if objectives is None else [objective.strip() for objective in objectives.split(",")]
    chosen = [objective.name for objective in objectives_of(table, asked)]
    known = designs(table)
    if len(known) > _SLOW and not as_json:
        typer.echo(f"growing forests on {plural(len(known), 'design')} ...", err=True)
    importance = importances(table, asked)
    metrics = [objective for objective in chosen if objective in table.attrs["metrics"]]
    effects = pd.concat(
        [choice_effects(table, metric).assign(metric=metric) for metric in metrics or ["psnr"]]
    )
    spread = seed_spread(known)
    if png is not None:
        from analysis import plot_effects, save_figure

        metric = effects["metric"].iloc[0] if len(effects) else "psnr"
        ax = plot_effects(effects[effects["metric"] == metric], table, metric)
        save_figure(ax.figure, png)  # type: ignore[arg-type]  # of no other figure
    if as_json:
        found = {
            "study": table.attrs["name"],
            "designs": len(known),
            "importances": json.loads(importance.to_json(orient="records")),
            "effects": json.loads(effects.to_json(orient="records")),
            "seed_spread": None if spread is None else asdict(spread),
        }
        typer.echo(json.dumps(found, indent=2))
        return
    console = output()
    if importance.empty:
        console.print(_too_little(table, len(known)), soft_wrap=True, markup=False)
        return
    title = f"What matters in {table.attrs['name']}: share of each objective's variation among"
    console.print(f"{title} {plural(len(known), 'design')}", soft_wrap=True, markup=False)
    console.print(_importance_table(importance))
    console.print("* more than any of 20 forests found in shuffled values; the rest may be chance\n")
    for metric in effects["metric"].unique():
        _print_effects(console, effects[effects["metric"] == metric], metric)


def _too_little(table: pd.DataFrame, trained: int) -> str:
    """Why nothing can be said."""
    from analysis import why_none
    from analysis.importance import FEWEST

    if not trained:
        return f"nothing to explain: {why_none(table, [])}"
    return f"nothing to explain: of {trained} trained, where it takes {FEWEST} designs that differ"


def _importance_table(importance: pd.DataFrame) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("choice")
    by_choice = importance.pivot(index="choice", columns="objective")
    objectives = list(dict.fromkeys(importance["objective"]))
    for objective in objectives:
        table.add_column(objective, justify="right")
    for choice in dict.fromkeys(importance["choice"]):
        row = by_choice.loc[choice]
        clear = [row["importance", objective] > row["chance", objective] for objective in objectives]
        shares = [f"{row['importance', objective]:.0%}" for objective in objectives]
        marked = [f"{share} {'*' if mark else ' '}" for share, mark in zip(shares, clear, strict=True)]
        table.add_row(escape(choice), *marked)
    return table


def _print_effects(console: Console, effects: pd.DataFrame, metric: str) -> None:
    """The levels that stand out, and how many of all they are."""
    from rich.markup import escape
    from rich.table import Table

    from analysis.quantities import QUANTITIES

    quantity = QUANTITIES.get(metric)
    label, unit = (quantity.label, quantity.unit) if quantity else (metric, "")
    clear = effects[(effects["low"] > 0) | (effects["high"] < 0)]
    console.print(f"{label} at equal latency, against the mean of all designs", markup=False)
    if len(clear):
        table = Table("choice", "level")
        for heading in ("designs", f"effect, {unit}" if unit else "effect", "from", "to"):
            table.add_column(heading, justify="right")
        for row in clear.to_dict("records"):
            numbers = [f"{row[key]:+.2f}" for key in ("effect", "low", "high")]
            table.add_row(escape(row["choice"]), escape(str(row["level"])), str(row["designs"]), *numbers)
        console.print(table)
    chance = f"{len(effects) / 20:.2g}"
    console.print(
        f"{len(clear)} of {plural(len(effects), 'level')}, those whose 95 % interval leaves out 0; if no"
        f" choice had an effect, about {chance} would by chance\n",
        soft_wrap=True,
    )
