"""How a command ends: 0 on success, 2 for what the caller got wrong, 1 for what failed, in one line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from search_space.errors import UserError, first_line


class OneLineErrors(TyperGroup):
    """Commands whose errors are one line on standard error; tracebacks go to a file that the line names."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; an interrupt is said here, since Typer would end on it without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("interrupted")
            raise typer.Exit(130) from None

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Runs a command and exits with its status."""
        try:
            status = super().main(*args, **(extra | {"standalone_mode": False}))
        except UserError as error:
            _say(str(error))
            status = 2
        except (KeyboardInterrupt, typer.Abort):
            _say("interrupted")
            status = 130
        except BrokenPipeError:  # as in `nas pareto | head`: the reader has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        except Exception as error:
            # A usage error of Typer's, whose class depends on its version: newer ones carry a copy of click.
            if hasattr(error, "format_message"):
                _say(" ".join(error.format_message().split()))
                status = error.exit_code  # type: ignore[attr-defined]
            else:
                log = Path(tempfile.gettempdir()) / f"nas-{os.getpid()}.log"
                log.write_text(traceback.format_exc(), encoding="utf-8")
                _say(f"{type(error).__name__}: {first_line(error)} (traceback in {log})")
                status = 1
        sys.exit(status)


def _say(text: str) -> None:
    typer.echo(f"nas: {text}", err=True)
