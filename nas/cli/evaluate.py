"""`nas evaluate`: how good a decoder is, beside its teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from search_space.counting import plural


def evaluate(
    student: Annotated[
        Path,
        typer.Argument(help="An exported design, or published weights (Turbo-VAED, TAEHV).", metavar="DIR"),
    ],
    data: Annotated[
        Path | None, typer.Option(help="A folder of videos. \\[default: the `samples` extra's clips]")
    ] = None,
    latents: Annotated[
        Path | None,
        typer.Option(help="In place of videos: a folder of what pipelines return with output_type='latent'."),
    ] = None,
    protocol: Annotated[
        Literal["held-out", "ucf101"],
        typer.Option(help="held-out: scenes that training holds out; ucf101: each file's first 17 frames."),
    ] = "held-out",
    clips: Annotated[int | None, typer.Option(help="At most so many.", min=1, show_default=False)] = None,
    teacher: Annotated[
        str | None, typer.Option(help="A name or directory. \\[default: that of DIR/training.yaml]")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="The teacher's weights: auto, hub, stand-in or a directory.")
    ] = None,
    lpips: Annotated[
        Path | None, typer.Option(help="AlexNet's weights, for LPIPS. \\[default: torch's cache, if there]")
    ] = None,
    i3d: Annotated[
        Path | None,
        typer.Option(help="I3D as TorchScript, for rFVD; it runs code: mind where it is from."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Where the report goes. \\[default: evaluation/ beside the weights]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a decoder and its teacher on videos, or against each other on latents.

    Example: nas evaluate decoder --data ~/videos
    """
    from nas.cli.progress import ProgressDisplay
    from nas.evaluation.evaluate import Evaluation
    from nas.evaluation.frechet import I3d
    from nas.evaluation.latents import generated_latents
    from nas.evaluation.protocols import held_out, ucf101
    from nas.evaluation.students import load_student
    from nas.training.files import TrainingFiles
    from search_space.errors import UserError

    if latents is not None and data is not None:
        raise UserError("either --data or --latents, not both")
    listener = ProgressDisplay()
    files = TrainingFiles(student)
    settings = _settings(files.used if files.used.exists() else files.settings, teacher, weights)
    import torch

    from nas.teachers import load_teacher

    device = "cuda" if torch.cuda.is_available() else "cpu"
    learnt_from = load_teacher(settings.teacher.name, settings.teacher.weights, device)
    listener.say(f"teacher {learnt_from.name}: {learnt_from.weights.description}")
    evaluation = Evaluation(
        load_student(student, learnt_from),
        learnt_from,
        _lpips(lpips, listener, device),
        None if i3d is None else I3d(i3d, torch.device(device)),
        listener,
    )
    try:
        if latents is not None:
            report = evaluation.on_latents(generated_latents(latents, learnt_from))
        elif protocol == "ucf101":
            report = evaluation.on_clips(ucf101(data, clips, learnt_from, listener), sampled=True)
        else:
            count = clips or settings.data.validation
            chosen = held_out(student, data, settings.data, settings.seed, count, learnt_from)
            report = evaluation.on_clips(chosen, sampled=False)
    finally:
        listener.close()
    folder = to or (student if student.is_dir() else student.parent) / "evaluation"
    report.write(folder)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
        return
    _print(report.all, len(report.clips))
    typer.echo(f"each clip's: {folder / 'evaluation.json'}, a picture: {folder / 'frames.png'}")


def _settings(of_design: Path, teacher: str | None, weights: str | None) -> Any:
    """The training settings of a design, or the published ones, with the teacher that is asked for."""
    from nas.training.settings import TeacherSettings, load_teacher_settings, load_training
    from search_space.errors import UserError

    asked = load_teacher_settings(of_design) if teacher is None else TeacherSettings(name=teacher)
    if asked is None:
        raise UserError(f"there is no {of_design} that names a teacher: give --teacher")
    if weights is not None:
        asked = TeacherSettings(name=asked.name, weights=weights)
    settings = load_training(of_design if of_design.exists() else "published", asked)
    return settings.model_copy(update={"teacher": asked})


def _lpips(weights: Path | None, listener: Any, device: str) -> Any:
    """LPIPS with AlexNet; None, saying why, where it isn't asked for and its weights aren't there."""
    from nas.perceptual import Lpips
    from search_space.errors import UserError

    try:
        return Lpips("alex", weights).to(device)
    except UserError as error:
        if weights is not None:
            raise
        listener.say(f"without LPIPS: {error}")
        return None


def _print(found: dict[str, Any], clips: int) -> None:
    from rich.table import Table

    from nas.cli.front import output

    compared = {name: measures for name, measures in found.items() if isinstance(measures, dict)}
    table = Table(
        "", *(name.replace("_", " ") for name in compared), title=f"mean of {plural(clips, 'clip')}"
    )
    rows = {"psnr": "PSNR, dB", "psnr_frames": "PSNR of frames, dB", "ssim": "SSIM"}
    rows |= {"temporal_psnr": "temporal PSNR, dB", "lpips": "LPIPS (AlexNet)"}
    for key, label in rows.items():
        if all(key in measures for measures in compared.values()):
            table.add_row(label, *(f"{measures[key]:.4g}" for measures in compared.values()))
    phases = [
        " ".join(f"{value:.2f}" for value in measures["psnr_by_phase"]) for measures in compared.values()
    ]
    table.add_row("PSNR by phase, dB", *phases)
    output().print(table)
    for name, value in found.items():
        if name not in compared:
            output().print(f"{name}: {value}", markup=False)
