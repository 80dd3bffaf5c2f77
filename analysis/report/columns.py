"""What the columns of the page are called, their units, and how many digits are shown.

The page's script formats by the same description (``page/numbers.js``), so a value looks the same in a
sentence, in a table and under the pointer.
"""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ..plots.canvas import capital
from ..quantities import QUANTITIES

DASH = "\N{EN DASH}"
"""Stands where there is no value."""

_DIGITS = {
    "psnr": 2,
    "psnr_spread": 2,
    "ssim": 3,
    "latency_ms": 1,
    "fps": 1,
    "params": 2,
    "flops": 3,
    "peak_memory_bytes": 0,
    "number": 0,
    "repeats": 0,
    "seconds": 1,
}
_NAMES = {
    "number": ("Trial", ""),
    "outcome": ("Outcome", ""),
    "name": ("Name", ""),
    "design": ("Design", ""),
    "reason": ("Why", ""),
    "source": ("Costs from", ""),
    "fits": ("Fits in memory", ""),
    "repeats": ("Trainings", ""),
    "seconds": ("Time taken", "s"),
    "psnr_spread": ("PSNR's spread", "dB"),
}


@dataclass(frozen=True)
class Column:
    """A column of the page.

    Attributes:
        key: its name in the table of ``load_study``, which the page's filter takes too.
        label: its heading, without the unit.
        unit: of what is shown, or nothing.
        scale: what a value is multiplied by to be in that unit.
        digits: after the decimal point.
        kind: "number", "text", or "flag" for what is true or false.
        direction: "maximize" or "minimize" where one way is better, else nothing.
        log: whether it is drawn on a logarithmic axis.
    """

    key: str
    label: str
    unit: str = ""
    scale: float = 1.0
    digits: int = 3
    kind: Literal["number", "text", "flag"] = "number"
    direction: str = ""
    log: bool = False

    @property
    def heading(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def text(self, value: Any) -> str:
        """A value as it is shown, without its unit; a dash where there is none."""
        if pd.isna(value):
            return DASH
        if self.kind == "flag":
            return "yes" if value else "no"
        return str(value) if self.kind == "text" else f"{value * self.scale:,.{self.digits}f}"

    def amount(self, value: Any) -> str:
        """A value with its unit."""
        return f"{self.text(value)} {self.unit}".rstrip()


def column(key: str, kind: Literal["number", "text", "flag"] = "number") -> Column:
    """The description of a column of ``load_study``; one that nobody knows goes by its own name."""
    quantity, digits = QUANTITIES.get(key), _DIGITS.get(key, 3)
    if quantity is None:
        label, unit = _NAMES.get(key, (key, ""))
        return Column(key, label, unit, digits=digits, kind=kind)
    name = capital(quantity.label)
    return Column(key, name, quantity.unit, quantity.scale, digits, kind, quantity.direction, quantity.log)
