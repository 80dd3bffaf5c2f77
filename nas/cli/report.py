"""`nas report`: a study as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.pareto import NAME, STUDY

if TYPE_CHECKING:
    import pandas as pd


def report(
    study: Annotated[str, STUDY],
    to: Annotated[
        Path | None, typer.Option(help="The page. \\[default: the run's report.html]", show_default=False)
    ] = None,
    name: Annotated[str | None, NAME] = None,
) -> None:
    """Write a study as one HTML page that opens offline: front, frames, costs, all trials, how to export.

    Example: nas report runs/wan
    """
    from analysis import load_study
    from nas.cli.called import called

    table = load_study(study, name)
    place = Path(study)
    if place.exists():
        folder = place if place.is_dir() else place.parent
    else:
        folder = Path(table.attrs["study"].get("run", "."))
    written = to or folder / "report.html"
    write_page(table, written, called(study, name), folder)
    typer.echo(f"report: {written}")


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
    from analysis.report.trial_files import damage
    from analysis.report.writing import write_report
    from nas.cli.stage_costs import stage_costs
    from nas.cli.steps import StepsDisplay

    fronts = [pareto_front(table), pareto_front(table, provisional=True)]
    front = pd.concat([part.astype(object) for part in fronts]).drop_duplicates("number")
    front.attrs = table.attrs
    folders = {int(row["number"]): _folder(row, folder) for row in front.to_dict("records")}
    damaged = {number: damage(place, number) for number, place in folders.items() if place.is_dir()}
    stages = stage_costs(front)
    with StepsDisplay() as display:
        write_report(
            table,
            to,
            name,
            {number: place / "frames.png" for number, place in folders.items()},
            stages,
            lambda *steps: display.steps("pictures", *steps),
            {number: why for number, why in damaged.items() if why},
        )


def _folder(design: dict[Any, Any], folder: Path) -> Path:
    """The folder of the training that stands for a design: the best that confirms it, or else its own."""
    from nas.run_directory import RunDirectory

    number = int(design["number"])
    named = RunDirectory(folder, "")
    runs = [named, RunDirectory(Path(design["run"]), "")] if design["run"] else [named]
    folders = [run.trial(number) for run in runs]
    if design["confirmed"]:
        steps, seed = int(design["confirmed.steps"]), int(design["confirmed.best_seed"])
        folders = [*(run.confirmation(number, steps, seed) for run in runs), *folders]
    return next((place for place in folders if place.is_dir()), folders[0])
