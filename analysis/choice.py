"""Choosing one design of a study in a sentence: ``max psnr where fps >= 24 and params <= 30M``."""

import re

import pandas as pd

from search_space.conditions import known_name
from search_space.errors import UserError

from .absence import why_none
from .design_table import designs, finalists
from .front import meeting
from .quantities import LISTED, numeric_columns

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
    name = known_name(match["name"], names, LISTED)
    conditions = (
        re.split(r"\s+and\s+", match["conditions"], flags=re.IGNORECASE) if match["conditions"] else []
    )
    for table in (finalists(study), designs(study)):
        meets = meeting(table[table[name].notna()], conditions)
        if len(meets):
            values = meets[name].to_numpy(dtype=float)
            return meets.iloc[int(values.argmax() if aim == "max" else values.argmin())]
    raise UserError(f"nothing to choose: {why_none(table if len(table) else study, conditions)}")
