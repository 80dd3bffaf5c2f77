"""`nas teachers` and `nas devices`: what there is, what was found, what is missing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_FOUND = {
    "cached": "weights in",
    "stand-in": "only the small stand-in is here,",
    "missing": "no weights here; the hub is asked for them when they are needed",
}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def teachers(as_json: Json = False) -> None:
    """List the known teachers and which of their weights are here.

    Example: nas teachers
    """
    from nas.teachers import cached_folder, stand_in_folder
    from nas.teachers import teachers as known
    from nas.teachers.weights import STAND_IN_FOR

    rows = []
    for teacher in known().values():
        cached = cached_folder(teacher)
        stand_in = stand_in_folder() if teacher.name == STAND_IN_FOR else None
        rows.append(
            {
                "name": teacher.name,
                "version": teacher.version,
                "class": teacher.class_name,
                "repository": teacher.repo,
                "weights": "cached" if cached else "stand-in" if stand_in else "missing",
                "folder": str(cached or stand_in or ""),
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['name']:<10} {row['version']} ({row['class']}, {row['repository']})")
        typer.echo(f"{'':<10} {_FOUND[row['weights']]} {row['folder']}")
    typer.echo("Any directory of a diffusers AutoencoderKL* is a teacher too: --teacher PATH")


def devices(as_json: Json = False) -> None:
    """List the device profiles that latency and memory are estimated for.

    Example: nas devices
    """
    from nas.costs import devices as known
    from nas.costs import load_device

    profiles = [load_device(name) for name in known()]
    if as_json:
        typer.echo(json.dumps([profile.model_dump(mode="json") for profile in profiles], indent=2))
        return
    for profile in profiles:
        typer.echo(f"{profile.name:<16} {profile.description} (version {profile.version})")
    typer.echo("A profile of your own is a YAML file: --device PATH.yaml")
