"""`nas pareto`: the front of a study, printed, as CSV and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

STUDY = typer.Argument(help="A run directory such as runs/wan, or a storage URL.", metavar="STUDY")
NAME = typer.Option(help="Name of the study, where a storage URL holds several.")


def pareto(
    study: Annotated[str, STUDY],
    csv: Annotated[Path | None, typer.Option(help="Write the front as CSV.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the front (.png, .svg or .pdf).")] = None,
    objectives: Annotated[
        str | None, typer.Option(help="Another front: comma-separated columns such as psnr,params.")
    ] = None,
    name: Annotated[str | None, NAME] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the designs that no other beats.

    Example: nas pareto runs/wan --csv front.csv --png front.png
    """
    from analysis import load_study, pareto_front, write_front_csv
    from nas.cli.front import print_front, write_picture

    table = load_study(study, name)
    wanted = None if objectives is None else [objective.strip() for objective in objectives.split(",")]
    front = pareto_front(table, wanted)
    if csv is not None:
        write_front_csv(front, csv)
    if png is not None:
        write_picture(table, wanted, png)
    print_front(front, as_json)
