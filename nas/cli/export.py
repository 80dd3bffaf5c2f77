"""`nas export`: a design of a study as files of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.package import write_packages
from nas.cli.pareto import NAME, STUDY


def export(
    study: Annotated[str, STUDY],
    to: Annotated[Path, typer.Option(help="A new folder.")],
    pick: Annotated[
        str | None, typer.Option(help='A choice in a sentence: "max psnr where fps >= 24 and params <= 30M".')
    ] = None,
    trial: Annotated[int | None, typer.Option(help="A trial's number, in place of --pick.")] = None,
    coreml: Annotated[
        bool, typer.Option("--coreml", help="Also write its Core ML packages, for what the study priced.")
    ] = False,
    name: Annotated[str | None, NAME] = None,
) -> None:
    """Write a design's config.json, weights, training.yaml and model card.

    Example: nas export runs/wan --pick "max psnr where fps >= 24" --to decoder
    """
    from analysis import load_study, place_on_front
    from analysis import pick as pick_design
    from nas.run_directory import RunDirectory
    from search_space.errors import UserError

    if (pick is None) == (trial is None):
        raise UserError("say which design: either --pick or --trial")
    table = load_study(study, name)
    record = table.attrs["study"]
    if pick is not None:
        design = pick_design(table, pick)
    else:
        trained = table[table["outcome"] == "trained"]
        if trial not in set(trained["number"]):
            numbers = ", ".join(map(str, trained["number"])) or "none"
            raise UserError(f"trial {trial} was not trained; trained are: {numbers}")
        design = trained[trained["number"] == trial].iloc[0]
    folder = Path(study) if Path(study).is_dir() else Path(record["run"])

    from nas.export import export as write

    place = place_on_front(table, int(design["number"]))
    has_trained_weights = write(
        RunDirectory(folder, table.attrs["name"]), design.to_dict(), record, to, place
    )
    typer.echo(f"trial {design['number']} is in {to}")
    if not has_trained_weights:
        typer.echo("its weights are untrained: the search trained a narrowed proxy of it (see its README.md)")
    if coreml:
        height, width = record["resolution"]
        # A study that was begun before searches had a limit was priced for the device's own.
        write_packages(to, record["device"], (height, width), record["frames"], record.get("memory"))
