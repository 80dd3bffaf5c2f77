"""What the columns of a study mean: their names on a plot, their units, and which way is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from search_space.conditions import known_name
from search_space.errors import UserError

Direction = Literal["maximize", "minimize"]

LISTED = "`nas pareto STUDY --trials trials.csv` writes every column"
"""Where the columns of a study are to be seen."""


@dataclass(frozen=True)
class Quantity:
    """How a numeric column is shown.

    Attributes:
        label: its name, as it stands within a sentence.
        unit: the unit on an axis, after ``scale``; empty where there is none.
        direction: which way is better.
        log: whether ratios matter and not differences, so that it is shown and measured on a log scale.
        scale: what a value is multiplied by to be in ``unit``.
    """

    label: str
    unit: str
    direction: Direction
    log: bool = False
    scale: float = 1.0


QUANTITIES: dict[str, Quantity] = {
    "psnr": Quantity("PSNR", "dB", "maximize"),
    "psnr_inside": Quantity("PSNR inside the clip", "dB", "maximize"),
    "ssim": Quantity("SSIM", "", "maximize"),
    "lpips": Quantity("LPIPS", "", "minimize"),
    "latency_ms": Quantity("latency", "ms", "minimize", log=True),
    "latency_high_ms": Quantity("latency at the slow end", "ms", "minimize", log=True),
    "fps": Quantity("speed", "frames/s", "maximize", log=True),
    "fps_low": Quantity("speed at the slow end", "frames/s", "maximize", log=True),
    "params": Quantity("parameters", "M", "minimize", log=True, scale=1e-6),
    "flops": Quantity("arithmetic", "TFLOP", "minimize", log=True, scale=1e-12),
    "bytes": Quantity("memory traffic", "MB", "minimize", log=True, scale=1e-6),
    "peak_memory_bytes": Quantity("peak memory", "MB", "minimize", log=True, scale=1e-6),
}


@dataclass(frozen=True)
class Objective:
    """A column to make as large or as small as possible."""

    name: str
    direction: Direction

    def __str__(self) -> str:
        return f"{'max' if self.direction == 'maximize' else 'min'} {self.name}"

    @property
    def quantity(self) -> Quantity:
        """How the column is shown; a column not in ``QUANTITIES`` goes by its own name, without a unit."""
        return QUANTITIES.get(self.name, Quantity(self.name, "", self.direction))


def objectives_of(study: pd.DataFrame, objectives: Sequence[str] | None = None) -> list[Objective]:
    """The objectives of a study, or the named ones with the direction in which each is better.

    Args:
        study: a table from ``load_study``.
        objectives: column names, each alone ("params") or after its direction ("min params"). None for those
            that the search was run with.

    Raises:
        UserError: a name is no numeric column of the study, or nothing says which way of it is better.
    """
    searched = {o["name"]: Objective(o["name"], o["direction"]) for o in study.attrs["study"]["objectives"]}
    if objectives is None:
        return list(searched.values())
    return [_objective(text, searched, numeric_columns(study)) for text in objectives]


def _objective(text: str, searched: dict[str, Objective], names: list[str]) -> Objective:
    directions: dict[str, Direction] = {"max": "maximize", "min": "minimize"}
    words = text.split()
    if len(words) == 2 and words[0] in directions:
        return Objective(known_name(words[1], names, LISTED), directions[words[0]])
    name = known_name(text.strip(), names, LISTED)
    if name in searched:
        return searched[name]
    if name in QUANTITIES:
        return Objective(name, QUANTITIES[name].direction)
    raise UserError(f"objective '{name}': say which way is better, 'max {name}' or 'min {name}'")


def numeric_columns(study: pd.DataFrame) -> list[str]:
    """The columns that can be compared with a number, true-or-false ones included."""
    return [name for name in study.columns if pd.api.types.is_numeric_dtype(study[name])]
