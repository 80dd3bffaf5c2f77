"""The `nas` command: one module a group of commands, which import what they need when they are called."""

from __future__ import annotations

import typer

from nas.cli.calibration import calibrate, measure, probe
from nas.cli.compare import compare
from nas.cli.estimate import estimate
from nas.cli.evaluate import evaluate
from nas.cli.explain import explain
from nas.cli.export import export
from nas.cli.listings import devices, teachers
from nas.cli.outcome import OneLineErrors
from nas.cli.package import package
from nas.cli.pareto import pareto
from nas.cli.report import report
from nas.cli.search import search
from nas.cli.sweep import sweep
from nas.cli.train import train
from nas.cli.watch import watch

app = typer.Typer(
    cls=OneLineErrors,
    help="Searches for mobile video decoders: students of a latent video model's decoder, for a phone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    search,
    sweep,
    estimate,
    pareto,
    explain,
    compare,
    watch,
    report,
    export,
    package,
    train,
    evaluate,
    teachers,
    devices,
    probe,
    measure,
    calibrate,
):
    app.command()(command)


def main() -> None:
    """Entry point of the console script."""
    app()
