"""`nas train`: the full training of an exported design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    folder: Annotated[Path, typer.Argument(help="An exported design.", metavar="DIR")],
    data: Annotated[
        Path | None, typer.Option(help="A folder of videos. \\[default: the `samples` extra's clips]")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(help="published, cpu or a YAML file. \\[default: DIR/training.yaml]"),
    ] = None,
) -> None:
    """Train an exported design to the end by the published method; the same command again continues.

    Example: nas train decoder --data ~/videos

    On several GPUs: accelerate launch --multi_gpu -m nas train decoder --data ~/videos
    """
    from nas.allocator import keep_freed_memory
    from nas.cli.progress import ProgressDisplay
    from nas.training.files import TrainingFiles
    from nas.training.loop import TrainingError
    from nas.training.loop import train as run
    from nas.training.settings import load_teacher_settings, load_training

    keep_freed_memory()
    of_design = TrainingFiles(folder).settings
    wanted = load_training(settings or of_design, load_teacher_settings(of_design))
    listener = ProgressDisplay()
    try:
        outcome = run(folder, data, wanted, listener)
    except TrainingError as error:
        typer.echo(f"nas: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        listener.close()
    if not outcome.after:  # not the main process
        return
    if not outcome.finished:
        typer.echo(f"nas: stopped after step {outcome.step}; the same command continues", err=True)
        raise typer.Exit(130)
    typer.echo(
        f"{folder / 'model.safetensors'} is trained: {outcome.after['psnr']:.2f} dB on held-out clips,"
        f" {outcome.before['psnr']:.2f} dB before, the teacher {outcome.teacher['psnr']:.2f} dB"
    )
