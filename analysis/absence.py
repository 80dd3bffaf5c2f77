"""Why there is no design to show or to choose, in words."""

from collections.abc import Sequence

import pandas as pd

from search_space.conditions import parse_condition

from .design_table import finalists
from .front import meeting
from .quantities import numeric_columns


def why_none(study: pd.DataFrame, conditions: Sequence[str]) -> str:
    """Says what stands between a study and a design that meets every condition.

    Args:
        study: a table from ``load_study``, of which no finalist meets them, or one from ``designs``.
        conditions: as ``search_space.conditions`` reads them.

    Returns:
        A clause without a full stop: that nothing was tried or trained yet, and what became of it instead; or
        the first condition that none meets together with those before it, and how near the nearest comes.
    """
    if study.empty:
        return "the study has no trial yet"
    table = study if study.attrs.get("rows") == "designs" else finalists(study)
    if table.empty:
        counts = ", ".join(
            f"{count:,} {outcome}" for outcome, count in study["outcome"].value_counts().items()
        )
        reasons = study["reason"].dropna()
        last = f"; the last because: {reasons.iloc[-1]}" if len(reasons) else ""
        return f"the study has no trained design ({counts}{last})"
    asked = f"the {len(table):,} {'confirmed' if table.attrs['confirmed'] else 'trained'}"
    for text in conditions:
        left = meeting(table, [text])
        if left.empty:
            condition = parse_condition(text, numeric_columns(study))
            values = table[condition.name]
            if condition.operator is None:
                nearest = f"it is true of none of {asked}"
            elif condition.operator.startswith("<"):
                nearest = f"the lowest of {asked} is {values.min():.6g}"
            else:
                nearest = f"the highest of {asked} is {values.max():.6g}"
            return f"no design meets '{text.strip()}': {nearest}"
        table, asked = left, f"the {len(left):,} that meet what stands before it"
    return "no trained design has a value of every objective"
