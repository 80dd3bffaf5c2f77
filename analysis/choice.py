"""Choosing one design of a study in a sentence: ``max psnr where fps >= 24 and params <= 30M``."""

import re

import pandas as pd

from search_space.conditions import known_name, parse_condition
from search_space.errors import UserError

from .design_table import designs, finalists
from .front import meeting
from .quantities import numeric_columns

_SENTENCE = re.compile(
    r"\s*(?P<aim>\S+)\s+(?P<name>\S+)(?:\s+where\s+(?P<conditions>.+?))?\s*", re.IGNORECASE | re.DOTALL
)


def pick(study: pd.DataFrame, sentence: str) -> pd.Series:
    """The design that is best in one column among those that meet every condition.

    Chosen is among the confirmed designs where there are any, at their confirmed quality; where none of those
    meets the conditions, among all that were trained.

    Args:
        study: a table from ``load_study``.
        sentence: ``max|min COLUMN [where CONDITION and CONDITION …]``, the conditions as
            ``search_space.conditions`` reads them.

    Returns:
        The design's row of ``finalists(study)``, or of ``designs(study)`` where none of those meets the
        conditions (``confirmed`` says which); of several equally good ones, the first trial.

    Raises:
        UserError: the sentence can't be read (names the wrong word), or no trained design meets it (says how
            near the nearest comes).
    """
    match = _SENTENCE.fullmatch(sentence)
    if match is None:
        raise UserError(
            f"'{sentence}' can't be read; write 'max psnr' or 'max psnr where fps >= 24 and params <= 30M'"
        )
    aim = match["aim"].lower()
    if aim not in ("max", "min"):
        raise UserError(f"'{match['aim']}' in '{sentence}': a choice starts with 'max' or 'min'")
    names = numeric_columns(study)
    name = known_name(match["name"], names)
    conditions = (
        re.split(r"\s+and\s+", match["conditions"], flags=re.IGNORECASE) if match["conditions"] else []
    )
    for table in (finalists(study), designs(study)):
        meets = meeting(table[table[name].notna()], conditions)
        if len(meets):
            values = meets[name].to_numpy(dtype=float)
            return meets.iloc[int(values.argmax() if aim == "max" else values.argmin())]
    known = table[table[name].notna()]
    if known.empty:
        raise UserError(f"nothing to choose from: the study has no trained design with a value of {name}")
    raise UserError(_none_meets(known, conditions, names))


def _none_meets(table: pd.DataFrame, conditions: list[str], names: list[str]) -> str:
    """Which condition stands in the way: the first that none meets together with those before it."""
    asked = f"the {len(table)} trained"
    for text in conditions:
        left = meeting(table, [text])
        if left.empty:
            condition = parse_condition(text, names)
            values = table[condition.name]
            if condition.operator is None:
                nearest = f"it is true of none of {asked}"
            elif condition.operator.startswith("<"):
                nearest = f"the lowest of {asked} is {values.min():.6g}"
            else:
                nearest = f"the highest of {asked} is {values.max():.6g}"
            return f"no design to choose meets '{text.strip()}': {nearest}"
        table, asked = left, f"the {len(left)} that meet what stands before it"
    raise AssertionError("unreachable: some design meets every condition")
