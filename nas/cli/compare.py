"""`nas compare`: designs stage by stage, or studies with each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nas.cli.comparison import AMOUNTS, draw_designs, draw_studies, print_designs, print_studies
from nas.cli.values import DEVICE, parse_resolution
from search_space.counting import plural

if TYPE_CHECKING:
    import pandas as pd

    from search_space import DecoderConfig


def compare(
    subjects: Annotated[
        list[str],
        typer.Argument(
            help="Designs: a CONFIG.json, a folder with one, a published name, or STUDY#TRIAL."
            " Or studies: as STUDY of `nas pareto`, or STORAGE#NAME.",
            metavar="A B …",
        ),
    ],
    device: Annotated[str, typer.Option(help=f"For designs. {DEVICE}")] = "iphone-16-pro",
    resolution: Annotated[str, typer.Option(help="For designs: height x width, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="For designs: frames of the clip.")] = 17,
    source: Annotated[
        Literal["coreml", "trace"],
        typer.Option(help="For designs: as of `nas estimate`; coreml takes a minute a design at first."),
    ] = "trace",
    objectives: Annotated[
        str | None,
        typer.Option(help="For studies: comma-separated columns. \\[default: the first one's own]"),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(help="Draw the milliseconds of each stage, or the fronts (.png, .svg or .pdf)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare designs (where milliseconds, parameters and bytes go) or studies (fronts, definitions).

    Example: nas compare runs/wan#12 turbo-vaed-hunyuan
    """
    height_width = parse_resolution(resolution)
    from search_space.errors import UserError

    if len(set(subjects)) < 2:
        raise UserError("a comparison takes two or more different designs, or studies")
    if png is not None:
        from analysis.output import check_picture

        check_picture(png)
    studies = [subject for subject in subjects if _is_study(subject)]
    if studies and len(studies) < len(subjects):
        other = next(subject for subject in subjects if subject not in studies)
        raise UserError(f"'{studies[0]}' is a study and '{other}' a design: compare like with like")
    if studies:
        asked = None if objectives is None else [objective.strip() for objective in objectives.split(",")]
        tables = {subject: _load(subject) for subject in subjects}
        if png is not None:
            draw_studies(tables, asked, png)
        print_studies(tables, asked, as_json)
    else:
        stages = _stages({one: _design(one) for one in subjects}, device, height_width, frames, source)
        if png is not None:
            draw_designs(stages, png)
        how = "a trace of operators" if source == "trace" else "Core ML conversion"
        print_designs(stages, f"{plural(frames, 'frame')} of {resolution} on {device}, from {how}", as_json)


def _is_study(subject: str) -> bool:
    """Whether a word names a study; else it is taken for a design."""
    place, _, part = subject.partition("#")
    path = Path(place)
    if part.isdigit() or (path / "config.json").is_file():
        return False
    return "://" in place or path.is_dir() or (path.is_file() and path.suffix != ".json")


def _load(subject: str) -> pd.DataFrame:
    from analysis import load_study

    place, _, name = subject.partition("#")
    return load_study(place, name or None)


def _design(subject: str) -> DecoderConfig:
    """The design that a word names.

    Raises:
        UserError: it names none.
    """
    from search_space import DecoderConfig, design
    from search_space.errors import UserError

    study, _, number = subject.rpartition("#")
    if study:
        table = _load(study)
        found = table["config"][(table["number"].astype(str) == number) & table["config"].notna()]
        if found.empty:
            numbers = (
                f"its {plural(len(table), 'trial')} have numbers from 0 on"
                if len(table)
                else "it has no trial"
            )
            raise UserError(f"'{subject}': {study} has no design of that number; {numbers}")
        return DecoderConfig.from_dict(found.iloc[0])
    path = Path(subject)
    if path.is_dir():
        return DecoderConfig.load(path / "config.json")
    if path.suffix == ".json":
        return DecoderConfig.load(path)
    try:
        return design(subject)
    except UserError as error:
        raise UserError(f"'{subject}' is no file, folder or study; {error}") from None


def _stages(
    configs: Mapping[str, DecoderConfig],
    device: str,
    resolution: tuple[int, int],
    frames: int,
    source: Literal["coreml", "trace"],
) -> pd.DataFrame:
    """One row a stage of each design: its costs, and ``built``, what it is."""
    import pandas as pd

    from nas.cli.steps import StepsDisplay
    from nas.costs import estimate

    rows = []
    with StepsDisplay() as display:
        for number, (name, config) in enumerate(configs.items()):
            display.steps("pricing designs", number, len(configs))
            built = _built(config)
            for stage in estimate(config, device, resolution, frames, source).stages:
                amounts = {amount: getattr(stage, amount) for amount in AMOUNTS}
                rows.append({"design": name, "stage": stage.name, "built": built.get(stage.name)} | amounts)
    return pd.DataFrame(rows)


def _built(config: DecoderConfig) -> dict[str, str]:
    """What each stage is, by the name that its costs have: ``4 dw5, 256 wide, up by nearest``."""
    names = ("mid_block", "up_block_0", "up_block_1", "up_block_2", "up_block_3")
    words = {}
    for name, stage in zip(names, config.stages, strict=True):
        up = f", up by {stage.upsampler}" if stage.upsampler else ""
        words[name] = f"{stage.blocks} {stage.conv}, {stage.width} wide{up}"
    return words | {"head": f"patch {config.patch_size}, {config.time_padding}"}
