"""What a reading of a study or of a space leaves on disk; each file appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from search_space.errors import UserError

from .study import flat


def write_front_csv(front: pd.DataFrame, path: str | Path) -> None:
    """Writes a front, one design a line, with every column that holds a number or a word.

    The weights of the teacher, the source of the costs and whether the quality was confirmed are columns of
    it, so they stay with the figures.

    Raises:
        UserError: the file can't be written there.
    """
    with replacing(Path(path)) as temporary:
        flat(front).to_csv(temporary, index=False)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Writes a table in the format that the ending of ``path`` names: csv or parquet.

    Raises:
        UserError: no such format, or the file can't be written there.
    """
    path = Path(path)
    check_table(path)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Writes a figure in the format that the ending of ``path`` names: png, svg or pdf.

    Raises:
        UserError: no such format, or the file can't be written there.
    """
    path = Path(path)
    check_picture(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")


def check_table(path: Path) -> None:
    """Raises UserError for an ending that no table has."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise UserError(f"{path}: a table ends in .csv or .parquet")


def check_picture(path: Path) -> None:
    """Raises UserError for an ending that no picture has."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UserError(f"{path}: a picture ends in .png, .svg or .pdf")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to, which takes its place at the end."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # as where the folder is a file
            temporary.unlink()
