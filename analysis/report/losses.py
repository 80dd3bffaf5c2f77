"""What was not trained to the end, and why."""

import re
from dataclasses import dataclass

import pandas as pd

from search_space.counting import plural

from ..progress import duration

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")
_KINDS = {
    "stopped": "Stopped early",
    "refused": "Refused before training",
    "failed": "Failed",
    "interrupted": "Interrupted, and tried again",
    "repeated": "Repeated an earlier design",
}
_SHOWN = 12  # reasons of each kind, at most


@dataclass(frozen=True)
class Reasons:
    """Why trials came to one outcome.

    Attributes:
        outcome: as in the table.
        title: in words.
        count: trials.
        rows: (how many, an example of the reason, its trial's number), the most frequent first; reasons that
            differ in figures only are one.
        others: trials whose reasons are not among ``rows``.
    """

    outcome: str
    title: str
    count: int
    rows: list[tuple[int, str, int]]
    others: int


def reasons(study: pd.DataFrame) -> list[Reasons]:
    """The reasons of what was not trained to the end, by outcome; only outcomes that some trial came to."""
    found = []
    for outcome, title in _KINDS.items():
        trials = study[study["outcome"] == outcome]
        if trials.empty:
            continue
        texts = trials["reason"].fillna("no reason was recorded").astype(str)
        groups = texts.groupby(texts.str.replace(_NUMBER, "#", regex=True), sort=False)
        rows = sorted(
            ((len(group), group.iloc[0], int(trials.loc[group.index[0], "number"])) for _, group in groups),
            key=lambda row: -row[0],
        )
        shown = rows[:_SHOWN]
        found.append(
            Reasons(outcome, title, len(trials), shown, len(trials) - sum(count for count, *_ in shown))
        )
    return found


def time_saved(study: pd.DataFrame) -> str:
    """What stopping early saved, and what it may have cost; nothing where no training was stopped."""
    stopped = study[study["outcome"] == "stopped"]
    if stopped.empty or "stopped.seconds_left" not in stopped:
        return ""
    saved = stopped["stopped.seconds_left"].sum()
    said = f"Stopping {plural(len(stopped), 'training')} early saved about {duration(saved)} of training"
    wrong = stopped["stopped.chance"].sum()
    return f"{said}; of them {wrong:.1f} would still have reached the front (both estimated as they stopped)."
