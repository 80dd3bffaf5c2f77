"""`nas export`: a design of a study as files of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.package import write_packages
from nas.cli.pareto import NAME, PICK, STUDY

if TYPE_CHECKING:
    import pandas as pd

    from nas.run_directory import RunDirectory


def export(
    study: Annotated[str, STUDY],
    to: Annotated[Path, typer.Option(help="A new folder.")],
    pick: Annotated[str | None, typer.Option(help=PICK)] = None,
    trial: Annotated[int | None, typer.Option(help="A trial's number, in place of --pick.")] = None,
    coreml: Annotated[
        bool, typer.Option("--coreml", help="Also write its Core ML packages, for what the study priced.")
    ] = False,
    name: Annotated[str | None, NAME] = None,
) -> None:
    """Write a design's config.json, weights, training.yaml and model card.

    Example: nas export runs/wan --pick "max psnr where fps >= 24" --to decoder
    """
    from analysis import design_of, load_study, place_on_front, standing
    from analysis import pick as pick_design
    from nas.export import export as write
    from search_space.errors import UserError

    table = load_study(study, name)
    record = table.attrs["study"]
    if pick is not None and trial is None:
        design = pick_design(table, pick)
        number = int(design["number"])
    elif trial is not None and pick is None:
        design, number = design_of(table, trial), trial
    else:
        raise UserError("say which design: either --pick or --trial")
    if design["confirmed"]:
        number = int(design["number"])  # confirmed is the design, under the number of its first training
    # The files and the card are of one training, whatever the design's mean is.
    training = table[table["number"] == number].iloc[0]
    words = f"{place_on_front(table, number)} {standing(design)}"
    run = _run_of(training, study, table.attrs["name"])
    has_trained_weights = write(run, training.to_dict(), record, to, words)
    typer.echo(f"trial {number} is in {to}")
    if not design["confirmed"]:
        typer.echo("its quality is not confirmed: `nas search … --confirm 5` trains the front's best longer")
    if not has_trained_weights:
        typer.echo("its weights are untrained: the search trained a narrowed proxy of it (see its README.md)")
    if coreml:
        height, width = record["resolution"]
        # A study that was begun before searches had a limit was priced for the device's own.
        write_packages(to, record["device"], (height, width), record["frames"], record.get("memory"))


def _run_of(training: pd.Series, study: str, name: str) -> RunDirectory:
    """The run that holds a trial's files: the one that was named, which may have moved, or where it ran."""
    from nas.run_directory import RunDirectory

    place = Path(study)
    named = [RunDirectory(place if place.is_dir() else place.parent, name)] if place.exists() else []
    ran = RunDirectory(Path(training["run"]), name)
    number = int(training["number"])
    return next((run for run in named if run.trial(number).is_dir()), ran)
