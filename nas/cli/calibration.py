"""`nas probe`, `nas measure` and `nas calibrate`: a device profile from measurements of one's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.values import parse_resolution
from search_space.counting import plural

if TYPE_CHECKING:
    from nas.calibration.fitting import Compared


def probe(to: Annotated[Path, typer.Option(help="A new folder.")]) -> None:
    """Write Core ML packages whose times on a device make its profile, with a guide to measuring them.

    Example: nas probe --to probes
    """
    from nas.calibration.packages import TABLE, write_packages

    count = write_packages(to, _say)
    typer.echo(
        f"{plural(count, 'package')} in {to}: its README.md says how to time them and to fill in {TABLE}"
    )


def measure(
    to: Annotated[Path, typer.Option(help="Table of measurements (CSV); what it has is not measured again.")],
    configs: Annotated[
        list[Path] | None,
        typer.Argument(help="CONFIG.json of decoders. \\[default: the probes]", show_default=False),
    ] = None,
    device: Annotated[
        str, typer.Option(help="host or cuda (this machine), mac, iphone or ipad (from a Mac).")
    ] = "host",
    resolution: Annotated[str, typer.Option(help="Height x width of the video, px.")] = "512x512",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 17,
    team: Annotated[
        str, typer.Option(help="Apple developer team that signs what runs on an iphone or ipad.")
    ] = "",
) -> None:
    """Time decoders, or the probes that calibrate a profile, on a device.

    Example: nas measure --device cuda --to measured.csv
    """
    height_width = parse_resolution(resolution)
    from nas.calibration.apple import APPLE_DEVICES
    from nas.calibration.timing import RUNTIMES
    from search_space.errors import UserError

    folder = to.parent
    paths = [os.path.relpath(path, folder) for path in configs or ()]
    if device in RUNTIMES:
        from nas.calibration.measuring import measure as time_here
        from nas.calibration.probes import block_probes, operator_probes
        from nas.calibration.subjects import decoder_subject, probe_subject
        from nas.calibration.timing import describe

        runtime = next(name for name in RUNTIMES if name == device)
        _say(describe(runtime))
        subjects = [decoder_subject(path, folder, height_width, frames) for path in paths]
        if not subjects:
            probes = operator_probes(height_width, frames) + block_probes(height_width, frames)
            subjects = [probe_subject(probe) for probe in probes]
        rows = time_here(subjects, runtime, to, _say)
    elif device in APPLE_DEVICES:
        from nas.calibration.measuring import measure_on_apple

        apple = next(name for name in APPLE_DEVICES if name == device)
        rows = measure_on_apple(paths, apple, team, height_width, frames, to, _say)
    else:
        raise UserError(f"device {device!r}: measured are {', '.join((*RUNTIMES, *APPLE_DEVICES))}")
    typer.echo(f"{plural(len(rows), 'measurement')} in {to}: nas calibrate {to} makes a profile of them")


def calibrate(
    measured: Annotated[Path, typer.Argument(help="Table of measurements (CSV).", metavar="MEASURED.csv")],
    to: Annotated[Path, typer.Option(help="The new profile, a .yaml file.")],
    device: Annotated[
        str, typer.Option(help="Profile to start from: a name from `nas devices`, or a YAML file.")
    ] = "iphone-16-pro",
    png: Annotated[
        Path | None, typer.Option(help="Draw estimated against measured times (.png, .svg or .pdf).")
    ] = None,
) -> None:
    """Fit a device profile to measurements and write it.

    Example: nas calibrate measured.csv --device iphone-16-pro --to my-phone.yaml
    """
    from nas.calibration.fitting import fit_profile
    from nas.calibration.measurements import read_measurements
    from nas.calibration.profile_file import write_profile
    from nas.calibration.samples import fittable, samples
    from nas.costs import load_device
    from search_space.errors import UserError

    if to.suffix not in (".yaml", ".yml"):
        raise UserError(f"{to}: a profile's file ends in .yaml")
    if png is not None:
        from analysis.output import check_picture

        check_picture(png)
    profile = load_device(device)
    rows, left = fittable(read_measurements(measured), profile)
    for other in left:
        told = f"{other.subject} as {other.lowering} left out of the fit"
        _say(f"{told}: it ran on {other.unit}, which is no unit of {profile.name}")
    _say(f"reading the operations of {len(rows)} measured probes and decoders")
    found = samples(rows, profile, measured.parent)
    _say("fitting")
    measured_on = ", ".join(dict.fromkeys(row.device for row in rows))
    calibration = fit_profile(found, profile, to.stem, measured_on)
    write_profile(calibration.profile, to)
    if png is not None:
        _draw(calibration.rows, png)

    from rich.console import Console
    from rich.table import Table

    decoders = [row for row in calibration.rows if row.frames]
    shown = decoders or calibration.rows
    table = Table("measured", "ms", "estimated", "error", "left out of the fit", title=str(to))
    for column in table.columns[1:]:
        column.justify = "right"
    for row in shown:
        table.add_row(
            row.subject,
            f"{row.measured_ms:,.2f}",
            f"{row.estimated_ms:,.2f}",
            f"{row.estimated_ms / row.measured_ms - 1:+.1%}",
            f"{row.left_out_ms / row.measured_ms - 1:+.1%}",
        )
    console = Console()
    console.print(table)
    for what, some in (("decoders", decoders), ("probes", [r for r in calibration.rows if not r.frames])):
        if some:
            fit = median(abs(row.estimated_ms / row.measured_ms - 1) for row in some)
            out = median(abs(row.left_out_ms / row.measured_ms - 1) for row in some)
            console.print(f"{len(some)} {what}: median error {fit:.1%}, left out of the fit {out:.1%}")


def _draw(rows: Sequence[Compared], png: Path) -> None:
    import pandas as pd

    from analysis import plot_agreement, save_figure

    ax = plot_agreement(pd.DataFrame([asdict(row) for row in rows]))
    save_figure(ax.figure, png)  # type: ignore[arg-type]  # of no other figure


def _say(text: str) -> None:
    typer.echo(text, err=True)
