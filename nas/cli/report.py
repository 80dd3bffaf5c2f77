"""`nas report`: a study as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.pareto import NAME, STUDY

if TYPE_CHECKING:
    import pandas as pd


def report(
    study: Annotated[str, STUDY],
    to: Annotated[
        Path | None,
        typer.Option(help="The page. [default: the run's report.html]", show_default=False),
    ] = None,
    name: Annotated[str | None, NAME] = None,
) -> None:
    """Write a study as one HTML page that opens offline: front, frames, costs, all trials, how to export.

    Example: nas report runs/wan
    """
    from analysis import load_study
    from nas.cli.called import called

    table = load_study(study, name)
    folder = run_folder(study, table)
    written = to or folder / "report.html"
    write_page(table, written, called(study, name), folder)
    typer.echo(f"report: {written}")


def run_folder(study: str, table: pd.DataFrame) -> Path:
    """The folder with the files of a study's trials: the one that was named, or else the study's own."""
    if Path(study).is_dir():
        return Path(study)
    return Path(table.attrs["study"].get("run") or ".")


def write_page(table: pd.DataFrame, to: Path, name: str, folder: Path) -> None:
    """Prices the stages of the front and writes the page.

    Args:
        table: from `analysis.load_study`.
        to: the page.
        name: the study as a shell takes it, from `called`.
        folder: of the run; a trial whose files aren't there is looked for in the run that trained it.

    Raises:
        UserError: the page can't be written.
    """
    import pandas as pd

    from analysis import pareto_front
    from analysis.report.writing import write_report
    from nas.cli.stage_costs import stage_costs
    from nas.cli.steps import StepsDisplay
    from nas.run_directory import RunDirectory

    fronts = [pareto_front(table), pareto_front(table, provisional=True)]
    front = pd.concat(fronts).drop_duplicates("number")
    front.attrs = table.attrs
    frames = {}
    for number, run in zip(front["number"], front["run"], strict=True):
        places = [RunDirectory(Path(place), "").trial(int(number)) for place in (folder, run) if place]
        found = next((place for place in places if place.is_dir()), places[0])
        frames[int(number)] = found / "frames.png"
    with StepsDisplay() as display:
        write_report(
            table,
            to,
            name,
            frames,
            stage_costs(front),
            lambda done, total: display.steps("pictures", done, total),
        )
