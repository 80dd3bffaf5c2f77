"""`nas pareto`: the front of a study, printed, as CSV and as a picture; and a choice from the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

STUDY = typer.Argument(
    help="A run directory such as runs/wan, its study.db, a journal file or a storage URL.", metavar="STUDY"
)
NAME = typer.Option(help="Name of the study, where a storage holds several.")
PICK = 'A choice in a sentence: "max psnr where fps >= 24 and params <= 30M".'


def pareto(
    study: Annotated[str, STUDY],
    pick: Annotated[str | None, typer.Option(help=f"Show one design instead. {PICK}")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write what is shown as CSV.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the front (.png, .svg or .pdf).")] = None,
    trials: Annotated[Path | None, typer.Option(help="Write every trial (.csv or .parquet).")] = None,
    objectives: Annotated[
        str | None, typer.Option(help="Another front: comma-separated columns such as psnr,params.")
    ] = None,
    name: Annotated[str | None, NAME] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the designs that no other beats, of a study that is finished or running.

    Example: nas pareto runs/wan --csv front.csv --png front.png
    """
    from analysis import flat, load_study, pareto_front, write_front_csv, write_table
    from nas.cli.front import print_front, write_picture

    table = load_study(study, name)
    wanted = None if objectives is None else [objective.strip() for objective in objectives.split(",")]
    shown = pareto_front(table, wanted) if pick is None else _picked(table, pick)
    if csv is not None:
        write_front_csv(shown, csv)
    if png is not None:
        write_picture(table, wanted, png)
    if trials is not None:
        write_table(flat(table), trials)
    if pick is None or as_json:
        print_front(table, shown, as_json)
    else:
        _show_choice(table, shown, pick)


def _picked(table: pd.DataFrame, sentence: str) -> pd.DataFrame:
    """The design that a sentence picks, as a table of one row."""
    from analysis import designs, finalists
    from analysis import pick as pick_design

    design = pick_design(table, sentence)
    known = finalists(table) if design["confirmed"] else designs(table)
    return known.loc[[design.name]]


def _show_choice(table: pd.DataFrame, shown: pd.DataFrame, sentence: str) -> None:
    from analysis import place_on_front, standing
    from nas.cli.front import design_table, output

    design = shown.iloc[0]
    console = output()
    console.print(design_table(shown, f"Picked from {shown.attrs['name']} by '{sentence}'"))
    said = f"{place_on_front(table, int(design['number']))} {standing(design)}"
    console.print(said, soft_wrap=True, markup=False)
