"""What a study came to, in plain words."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from search_space.counting import plural

from ..absence import why_none
from ..design_table import designs, finalists
from ..design_text import described
from ..front import knee, meeting, pareto_front
from ..place import standing
from ..quantities import Objective, objectives_of
from .columns import column

_RATES = (24, 30, 60)  # frames a second: film, video, games
_OUTCOMES = {
    "trained": "trained to the end",
    "stopped": "stopped early",
    "refused": "refused before training",
    "repeated": "repeated an earlier design",
    "failed": "failed",
    "interrupted": "interrupted and tried again",
    "running": "under way",
    "waiting": "waiting",
}


@dataclass(frozen=True)
class Tile:
    """A figure at the head of the page: its value, what it is, and the trial that it is of."""

    value: str
    label: str
    trial: int | None = None


def sentences(study: pd.DataFrame) -> list[str]:
    """The study in a few sentences, the most important first."""
    objectives = objectives_of(study)
    front = pareto_front(study)
    said = [_tried(study)]
    if front.empty:
        reason = why_none(study, study.attrs["study"]["constraints"])
        return [*said, f"There is no front yet: {reason}."]
    names = _listed([objective.quantity.label for objective in objectives])
    kind = "confirmed designs" if front.attrs["confirmed"] else "trained designs"
    said.append(
        f"{len(front):,} of {len(finalists(study)):,} {kind} form the front: those that no other equals or"
        f" beats in {names} together."
    )
    if len(front) > 1:
        ends = " to ".join(_place(row, objectives) for row in (front.iloc[0], front.iloc[-1]))
        said.append(f"It reaches from {ends}.")
    if len(front) > 2:
        said.append(
            f"At its knee, where giving up a little of one objective no longer buys much of another, is"
            f" {_place(knee(front), objectives)}."
        )
    said += _fast_enough(front)
    said += _published(study, objectives)
    if (ceiling := study.attrs["study"].get("teacher_psnr")) is not None:
        said.append(f"The teacher itself reaches {column('psnr').amount(ceiling)} on the same clips.")
    return said


def quality_rests_on(study: pd.DataFrame) -> str:
    """What the quality of the front rests on: short trainings or longer ones, and how many of them."""
    front = pareto_front(study)
    if front.empty:
        return ""
    if front.attrs["confirmed"]:
        runs, steps = front["confirmed.runs"].min(), front["confirmed.steps"].max()
        return (
            f"Confirmed: the designs of this front were trained again apart from the search,"
            f" {plural(int(runs), 'time')} or more with different seeds, for {plural(steps, 'step')} each."
        )
    steps = (study.attrs["study"]["settings"].get("training") or {}).get("steps")
    short = f" of {plural(steps, 'step')}" if steps else ""
    return (
        f"Provisional: quality is that of the search's own short trainings{short}."
        " The same search with --confirm trains designs of the front again, longer and with several seeds."
    )


def tiles(study: pd.DataFrame) -> list[Tile]:
    """The figures at the head of the page."""
    front = pareto_front(study)
    found = [
        Tile(f"{len(designs(study)):,}", "designs trained"),
        Tile(f"{len(front):,}", "on the front"),
    ]
    for objective in objectives_of(study):
        if front.empty:
            break
        values = front[objective.name].astype(float)
        best = values.argmax() if objective.direction == "maximize" else values.argmin()
        row = front.iloc[int(best)]
        label = f"{'highest' if objective.direction == 'maximize' else 'lowest'} {objective.quantity.label}"
        found.append(Tile(column(objective.name).amount(row[objective.name]), label, int(row["number"])))
    return found


def design_standing(front: pd.DataFrame) -> dict[int, str]:
    """What the quality of each design of a front rests on, by trial number."""
    return {int(row["number"]): standing(row) for _, row in front.iterrows()}


def _tried(study: pd.DataFrame) -> str:
    counts = study["outcome"].value_counts()
    if counts.empty:
        return "No candidate was tried yet."
    parts = [f"{counts[name]:,} {words}" for name, words in _OUTCOMES.items() if name in counts]
    return f"{plural(len(study), 'candidate')} so far: {_listed(parts)}."


def _fast_enough(front: pd.DataFrame) -> list[str]:
    """The best design at each rate, those of one design in one sentence."""
    best: dict[int, list[int]] = {}  # rates by trial
    for rate in _RATES:
        fast = meeting(front, [f"fps >= {rate}"])
        if fast["psnr"].notna().any():
            number = fast["number"].iloc[int(fast["psnr"].astype(float).argmax())]
            best.setdefault(int(number), []).append(rate)
    said = []
    for number, rates in best.items():
        row = front[front["number"] == number].iloc[0]
        said.append(
            f"At {_listed([str(rate) for rate in rates], 'or')} frames a second or more the best is"
            f" #{row['number']} with {column('psnr').amount(row['psnr'])}."
        )
    if not best:
        said.append(f"None of them reaches {_RATES[0]} frames a second by its estimate.")
    return said


def _published(study: pd.DataFrame, objectives: list[Objective]) -> list[str]:
    """Where designs with a name came out."""
    table = designs(study)
    named = table[table["name"].notna()].drop_duplicates("name").head(4)
    return [
        f"{row['name']}, a published design, came to {_amounts(row, objectives)} (#{row['number']})"
        " under the same short training."
        for _, row in named.iterrows()
    ]


def _place(row: pd.Series, objectives: list[Objective]) -> str:
    return f"#{row['number']} ({_amounts(row, objectives)})"


def _amounts(row: pd.Series, objectives: list[Objective]) -> str:
    return _listed([column(objective.name).amount(row[objective.name]) for objective in objectives])


def _listed(words: list[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def named_choices(study: pd.DataFrame) -> list[tuple[str, str]]:
    """Choices in a sentence that this front can make, and what each comes to."""
    front = pareto_front(study)
    if front.empty:
        return []
    choices = ["max psnr", *(f"max psnr where fps >= {rate}" for rate in _RATES), "min latency_ms"]
    found = []
    for sentence in choices:
        row = _chosen(study, sentence)
        if row is not None:
            found.append((sentence, f"#{row['number']}: {described(row.to_dict())}"))
    return found


def _chosen(study: pd.DataFrame, sentence: str) -> Any:
    from search_space.errors import UserError

    from ..choice import pick

    try:
        return pick(study, sentence)
    except UserError:
        return None
