"""`nas search`: the main job."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.values import (
    DEVICE,
    MEMORY,
    parse_budget,
    parse_duration,
    parse_memory,
    parse_resolution,
    parse_workers,
)

if TYPE_CHECKING:
    import pandas as pd

    from nas.run_directory import RunDirectory


def search(
    teacher: Annotated[
        str, typer.Option(help="A name from `nas teachers`, or the directory of an autoencoder.")
    ] = "wan",
    weights: Annotated[
        str, typer.Option(help="The teacher's weights: auto, hub, stand-in or a directory.")
    ] = "auto",
    data: Annotated[
        Path | None, typer.Option(help="A folder of videos. \\[default: the `samples` extra's clips]")
    ] = None,
    budget: Annotated[str, typer.Option(help="Finished trainings, earlier ones included.")] = "50",
    time: Annotated[
        str | None, typer.Option(help="Begin no training after this long, as in 8h or 1h30m.")
    ] = None,
    device: Annotated[str, typer.Option(help=DEVICE)] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="Height x width that costs are for, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip that costs are for.")] = 17,
    memory: Annotated[str | None, typer.Option(help=MEMORY, show_default=False)] = None,
    objectives: Annotated[
        str,
        typer.Option(help="Comma-separated: psnr, ssim, latency_ms, fps, params, flops, peak_memory_bytes."),
    ] = "psnr,latency_ms",
    constraint: Annotated[
        list[str] | None,
        typer.Option(help='Checked before training; may be repeated: "params<=45M", "fps>=24", "fits".'),
    ] = None,
    latency_bound: Annotated[
        bool,
        typer.Option("--latency-bound", help="Go by the slow end of the latency's interval, and its fps."),
    ] = False,
    space: Annotated[
        str | None, typer.Option(help="A teacher's space, or a YAML file. \\[default: the teacher's]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study. \\[default: the teacher's]")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. \\[default: runs/NAME]")] = None,
    storage: Annotated[
        str | None,
        typer.Option(help="Database URL, or PATH.log, for the study. \\[default: SQLite in its folder]"),
    ] = None,
    settings: Annotated[
        str, typer.Option(help="How designs are trained: gpu, cpu, auto or a YAML file.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    workers: Annotated[
        str, typer.Option(help="Trainings at the same time on this machine; auto: one a GPU, else one.")
    ] = "auto",
    ray: Annotated[
        str | None, typer.Option(help="Train on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT.")
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(help="Trainings to learn from: shipped, or another study. \\[default: none]"),
    ] = None,
    stop_early: Annotated[
        bool,
        typer.Option(
            " /--no-stop-early",
            help="Train to the end also what would only stay dominated.",
            show_default=False,
        ),
    ] = True,
    confirm: Annotated[
        int, typer.Option(help="Designs of the front to train again, longer and by other seeds.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the front as JSON.")] = False,
) -> None:
    """Search for decoders that are both good and fast; the same command again continues.

    Example: nas search --teacher wan --budget 50
    """
    height_width = parse_resolution(resolution)
    seconds = None if time is None else parse_duration(time)
    from nas.checked_request import check
    from nas.cli.display import watcher
    from nas.request import Request
    from nas.search_error import GOES_ON, SearchError

    request = Request(
        teacher=teacher,
        weights=weights,
        data=data,
        budget=parse_budget(budget),
        seconds=seconds,
        device=device,
        resolution=height_width,
        frames=frames,
        memory=None if memory is None else parse_memory(memory),
        objectives=objectives,
        constraints=tuple(constraint or ()),
        latency_bound=latency_bound,
        space=space,
        name=name,
        out=out,
        storage=storage,
        settings=settings,
        seed=seed,
        workers=parse_workers(workers),
        ray=ray,
        prior=prior,
        stop_early=stop_early,
        confirm=confirm,
    )
    display = watcher()
    try:
        asked = check(request, display.say)  # before anything that takes seconds is imported
        from nas.search import search as run_search

        # Schedulers send it before they kill. Not set earlier, since joining a Ray cluster sets Ray's own.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        run = run_search(asked, display)
    except SearchError as error:
        typer.echo(f"nas: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(f"nas: interrupted; {GOES_ON}", err=True)
        raise typer.Exit(130) from None
    finally:
        display.end()
    _show(run, storage, as_json)


def _show(run: RunDirectory, storage: str | None, as_json: bool) -> None:
    """Writes the front and the report into the run's folder, and prints the front."""
    from analysis import load_study, pareto_front, write_front_csv
    from nas.cli.called import called
    from nas.cli.front import output, print_front, write_picture
    from nas.cli.report import write_page

    name = called(storage or str(run.path), run.name if storage else None)
    table = load_study(storage or run.path, run.name)
    front = pareto_front(table)
    picture, report = run.path / "front.png", run.path / "report.html"
    write_front_csv(front, run.path / "front.csv")
    write_picture(table, None, picture)
    write_page(table, report, name, run.path)
    print_front(table, front, as_json)
    if not as_json:
        console = output()
        console.print(f"picture: {picture}", soft_wrap=True)
        console.print(f"report:  {report}", soft_wrap=True)
        if len(front):
            command = f'nas export {name} --pick "{_pick(front)}" --to decoder'
            console.print(f"export:  {command}", soft_wrap=True, markup=False)


def _pick(front: pd.DataFrame) -> str:
    """A choice that this front can make."""
    return "max psnr where fps >= 24" if (front["fps"] >= 24).any() else "max psnr"
