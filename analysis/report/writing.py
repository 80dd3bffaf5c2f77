"""Writes the page."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import plotly.offline
from markupsafe import Markup

from ..design_text import described
from ..front import knee, pareto_front
from ..output import replacing
from ..quantities import objectives_of
from .basis import measured_and_estimated, settings, stand_in
from .columns import Column, column
from .evidence import TOO_FEW, mattering, uncertainty
from .losses import reasons, time_saved
from .pictures import FULL_SCALE, pictures
from .summary import design_standing, named_choices, quality_rests_on, sentences, tiles
from .trials import curves, plain, shown_columns, trial_table, views

_PAGE = Path(__file__).parent / "page"
_SCRIPTS = ("numbers.js", "study.js", "front.js", "design.js", "gallery.js", "trials.js", "start.js")
_SECTIONS = (
    ("summary", "Summary"),
    ("front", "Front"),
    ("frames", "Frames"),
    ("trials", "All trials"),
    ("losses", "Stopped, refused, failed"),
    ("evidence", "How sure"),
    ("basis", "Measured or estimated"),
    ("export", "Export"),
    ("settings", "Settings"),
)
_LARGEST = 7_700_000  # characters of the whole page, of which plotly takes 4.8 million
_WORDS = 120_000  # characters left for what is neither data nor script


def write_report(
    study: pd.DataFrame,
    to: str | Path,
    called: str,
    frames: Mapping[int, Path] | None = None,
    stages: pd.DataFrame | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    damaged: Mapping[int, str] | None = None,
) -> None:
    """Writes one HTML page about a study, which opens offline and holds all that it shows; below 8 MB.

    Everything that comes from the study or from files is escaped, and a policy inside the page keeps a
    browser from running or loading anything but the page's own scripts.

    Args:
        study: a table from ``load_study``.
        to: the file.
        called: the study as a shell takes it after ``nas export``, quoted and without a password.
        frames: of the front's designs, the ``frames.png`` of each by trial number; what can't be read is
            said in the page.
        stages: costs by stage of the front's designs: ``number``, ``stage``, ``latency_ms``, ``params``,
            ``flops``, ``bytes``, and ``blocks``, ``conv``, ``width``, ``upsampler`` (None for stages that
            have none); ``.attrs["missing"]`` says by number why a design has no rows.
        progress: hears how many designs of how many have their pictures.
        damaged: what is wrong with the files of some designs, by trial number.

    Raises:
        UserError: the file can't be written.
    """
    page = report_page(study, called, frames or {}, stages, progress, damaged or {})
    with replacing(Path(to)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def report_page(
    study: pd.DataFrame,
    called: str,
    frames: Mapping[int, Path],
    stages: pd.DataFrame | None,
    progress: Callable[[int, int], None],
    damaged: Mapping[int, str],
) -> str:
    """The page's text; arguments as of ``write_report``."""
    scripts = [_script(plotly.offline.get_plotlyjs()), _script("\n".join(map(_read, _SCRIPTS)))]
    front = pareto_front(study)
    commands = {
        int(number): f"nas export {called} --trial {number} --to decoder-{number}"
        for number in dict.fromkeys([n for view in views(study) for n in view["front"]])
    }
    data = _data(study, front, commands, stages)
    taken = sum(len(script["text"]) for script in scripts) + len(json.dumps(data))
    data["pictures"] = pictures(frames, _LARGEST - _WORDS - taken, progress)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        name=study.attrs["name"],
        record=study.attrs["study"],
        sections=_SECTIONS,
        style=Markup(_read("report.css")),
        scripts=scripts,
        data=data,
        stand_in=stand_in(study),
        tiles=tiles(study),
        rests_on=quality_rests_on(study),
        confirmed=front.attrs["confirmed"],
        sentences=sentences(study),
        full_scale=FULL_SCALE,
        missing=data["pictures"]["missing"],
        damaged=damaged,
        names=[shown.key for shown in shown_columns(study) if shown.kind == "number"],
        saved=time_saved(study),
        losses=reasons(study),
        uncertainty=uncertainty(study),
        mattering=mattering(study),
        too_few=TOO_FEW,
        basis=measured_and_estimated(study),
        commands=commands,
        choices=[
            (f'nas export {called} --pick "{sentence}" --to decoder', design)
            for sentence, design in named_choices(study)
        ],
        front=[row | {"design": described(row)} for row in front.to_dict("records")],
        front_columns=_front_columns(study),
        settings=settings(study),
    )


def _data(
    study: pd.DataFrame, front: pd.DataFrame, commands: Mapping[int, str], stages: pd.DataFrame | None
) -> dict[str, Any]:
    """What the page's script works on; figures in the study's own units."""
    table = trial_table(study)
    objectives = objectives_of(study)
    across, up = _axes([(objective.name, objective.direction) for objective in objectives])
    record = study.attrs["study"]
    shown = shown_columns(study)
    return {
        "columns": [asdict(one) for one in shown],
        "shown": [one.key for one in shown],
        "trials": {name: plain(table[name]) for name in table} | {"name": plain(study["name"])},
        "curves": curves(study),
        "views": views(study),
        "objectives": [objective.name for objective in objectives],
        "across": across,
        "up": up,
        "frames": record["frames"],
        "teacher_psnr": record.get("teacher_psnr"),
        "standing": design_standing(front),
        "commands": commands,
        "stages": _by_number(stages),
        "stages_missing": {} if stages is None else stages.attrs.get("missing", {}),
        "first": None if front.empty else int(knee(front)["number"]),
    }


def _axes(objectives: list[tuple[str, str]]) -> tuple[str, str]:
    """What is drawn across and up: the first two objectives, quality up; a lone one is joined by another."""
    (first, direction), (second, _) = [
        *objectives,
        *(
            (name, way)
            for name, way in (("latency_ms", "minimize"), ("psnr", "maximize"))
            if name != objectives[0][0]
        ),
    ][:2]
    return (second, first) if direction == "maximize" else (first, second)


def _by_number(stages: pd.DataFrame | None) -> dict[int, list[dict[Any, Any]]]:
    """The rows of each design's stages."""
    if stages is None:
        return {}
    known = {name: plain(stages[name]) for name in stages if name != "number"}
    rows = [dict(zip(known, values, strict=True)) for values in zip(*known.values(), strict=True)]
    by_number: dict[int, list[dict[Any, Any]]] = {}
    for number, row in zip(stages["number"], rows, strict=True):
        by_number.setdefault(int(number), []).append(row)
    return by_number


def _front_columns(study: pd.DataFrame) -> list[Column]:
    kept = ("number", "design", "psnr", "ssim", "latency_ms", "fps", "params", "peak_memory_bytes")
    own = [objective.name for objective in objectives_of(study) if objective.name not in kept]
    return [column(key, "text" if key == "design" else "number") for key in (*kept[:4], *own, *kept[4:])]


def _script(text: str) -> dict[str, str]:
    """A script, and how the page's policy names it."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return {"text": Markup(text), "source": Markup(f"'sha256-{digest}'")}


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
