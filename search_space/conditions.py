"""Conditions that a user writes, such as ``params<=45M``, ``fps >= 24`` or ``fits``.

One grammar serves the constraints of a search and the choice of a design from its study::

    condition = NAME OPERATOR NUMBER [SUFFIX] | NAME
    OPERATOR  = "<=" | ">=" | "<" | ">"
    SUFFIX    = K M G T (powers of 1000), and where the name carries a unit: ms s, or KB MB GB

A bare NAME asks for something true or false to be true.
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import UserError

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_POWERS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS: dict[str, dict[str, float]] = {
    "_ms": {"": 1.0, "ms": 1.0, "s": 1e3},
    "_bytes": _POWERS | {"KB": 1e3, "MB": 1e6, "GB": 1e9},
}

_NEAREST = 4  # names that are said of many

_CONDITION = re.compile(r"(?P<name>[^\s<>=!]+)\s*(?:(?P<operator>[<>=!]+)\s*(?P<value>.*))?")
_NUMBER = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<suffix>[A-Za-z]*)")


@dataclass(frozen=True)
class Condition:
    """One condition on a named quantity.

    Attributes:
        name: the quantity, as the mapping given to ``holds`` calls it.
        operator: "<=", ">=", "<" or ">"; None where ``name`` is to be true.
        bound: the right-hand side in the quantity's own unit; None where ``name`` is to be true.
    """

    name: str
    operator: str | None = None
    bound: float | None = None

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether ``values`` (a row of a table, or an estimate as a dict) meets the condition.

        What is not known (None or NaN) meets none.

        Raises:
            UserError: the value is a word, so it can be neither compared nor true.
        """
        value = values[self.name]
        if value is None:
            return False
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise UserError(f"condition '{self}': {self.name} is {value!r}, not a number") from None
        if math.isnan(number):
            return False
        if self.operator is None or self.bound is None:
            return bool(number)
        return _OPERATORS[self.operator](number, self.bound)

    def holds_for(self, columns: Mapping[str, Any]) -> Any:
        """Where columns of numbers, arrays [N], meet the condition: [N]."""
        values = columns[self.name]
        if self.operator is None or self.bound is None:
            return values.astype(bool)
        return _OPERATORS[self.operator](values, self.bound)

    def __str__(self) -> str:
        return self.name if self.operator is None else f"{self.name} {self.operator} {self.bound:.12g}"


def parse_condition(text: str, names: Collection[str], listed: str = "") -> Condition:
    """Reads one condition.

    Args:
        text: for example ``"params <= 45M"``, ``"latency_ms<40"`` or ``"fits"``.
        names: the quantities there are.
        listed: as for ``known_name``.

    Raises:
        UserError: names the part of ``text`` that is wrong, and what would be right.
    """
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise UserError(
            f"condition '{text.strip()}': expected a name, an operator and a number, as in 'fps >= 24'"
        )
    name = known_name(match["name"], names, listed)
    if match["operator"] is None:
        return Condition(name)
    if match["operator"] not in _OPERATORS:
        raise UserError(
            f"condition '{text.strip()}': '{match['operator']}' is not one of {', '.join(_OPERATORS)}"
        )
    number = _NUMBER.fullmatch(match["value"].strip())
    if number is None:
        raise UserError(
            f"condition '{text.strip()}': '{match['value'].strip()}' is not a number, as 24 or 45M"
        )
    suffixes = next((units for ending, units in _UNITS.items() if name.endswith(ending)), _POWERS)
    if number["suffix"] not in suffixes:
        allowed = ", ".join(suffix for suffix in suffixes if suffix)
        raise UserError(
            f"condition '{text.strip()}': '{number['suffix']}' is no suffix of {name}; there are {allowed}"
        )
    return Condition(name, match["operator"], float(number["number"]) * suffixes[number["suffix"]])


def known_name(name: str, names: Collection[str], listed: str = "") -> str:
    """Returns ``name`` if it is among ``names``.

    Args:
        name: as somebody wrote it.
        names: those there are.
        listed: a clause that says where they all are to be seen, if they are too many for one line.

    Raises:
        UserError: it isn't; says which names are near, and lists them all or says where they are listed.
    """
    if name in names:
        return name
    if listed:
        nearest = ", ".join(difflib.get_close_matches(name, names, n=_NEAREST, cutoff=0.0))
        raise UserError(f"'{name}' is not known; the nearest are: {nearest}; {listed}")
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise UserError(f"'{name}' is not known{hint}; there are: {', '.join(names)}")
