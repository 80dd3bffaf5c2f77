"""Choosing one design of a study in a sentence: ``max psnr where fps >= 24 and params <= 30M``."""

import re

import pandas as pd

from search_space.conditions import known_name, parse_condition
from search_space.errors import UserError

from .front import meeting, trained
from .quantities import numeric_columns

_SENTENCE = re.compile(
    r"\s*(?P<aim>\S+)\s+(?P<name>\S+)(?:\s+where\s+(?P<conditions>.+?))?\s*", re.IGNORECASE | re.DOTALL
)


def pick(study: pd.DataFrame, sentence: str) -> pd.Series:
    """The trained design that is best in one column among those that meet every condition.

    Args:
        study: a table from ``load_study``.
        sentence: ``max|min COLUMN [where CONDITION and CONDITION …]``, the conditions as
            ``search_space.conditions`` reads them.

    Returns:
        The design's row; of several equally good ones, the first trial.

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
    designs = trained(study)
    designs = designs[designs[name].notna()]
    if designs.empty:
        raise UserError(f"nothing to choose from: the study has no trained design with a value of {name}")
    meets = meeting(designs, conditions)
    if meets.empty:
        raise UserError(_none_meets(designs, conditions, names))
    values = meets[name].to_numpy(dtype=float)
    return meets.iloc[int(values.argmax() if aim == "max" else values.argmin())]


def _none_meets(designs: pd.DataFrame, conditions: list[str], names: list[str]) -> str:
    """Which condition stands in the way: the first that none meets together with those before it."""
    asked = f"the {len(designs)} trained"
    for text in conditions:
        left = meeting(designs, [text])
        if left.empty:
            condition = parse_condition(text, names)
            values = designs[condition.name]
            if condition.operator is None:
                nearest = f"it is true of none of {asked}"
            elif condition.operator.startswith("<"):
                nearest = f"the lowest of {asked} is {values.min():.6g}"
            else:
                nearest = f"the highest of {asked} is {values.max():.6g}"
            return f"no design to choose meets '{text.strip()}': {nearest}"
        designs, asked = left, f"the {len(left)} that meet what stands before it"
    raise AssertionError("unreachable: some design meets every condition")
