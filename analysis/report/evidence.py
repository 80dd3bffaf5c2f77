"""How sure the front is, and which choices made it."""

from dataclasses import dataclass

import pandas as pd

from search_space.counting import plural

from ..front import pareto_front
from ..importance import FEWEST, importances
from ..quantities import objectives_of
from ..uncertainty import not_told_apart, seed_spread
from .columns import column

_SHOWN = 8  # choices of each objective


@dataclass(frozen=True)
class Choice:
    """How much one choice matters for an objective: its share, what chance alone reaches, both 0 to 1."""

    name: str
    importance: float
    chance: float


def uncertainty(study: pd.DataFrame) -> list[str]:
    """How far quality moves between seeds, and what that means for the front, in sentences."""
    front = pareto_front(study)
    if front.empty:
        return []
    psnr = column("psnr")
    spread = seed_spread(study)
    said = []
    if spread is None:
        said.append(
            "No design was trained more than once, so nobody knows how far quality moves between seeds:"
            " small differences on the front may be chance."
        )
    else:
        low, high = spread.interval
        said.append(
            f"Between seeds the PSNR of one design moves by {psnr.amount(spread.deviation)} (standard"
            f" deviation, 95 % interval {psnr.text(low)} to {psnr.amount(high)}, from"
            f" {plural(spread.designs, 'design')} that were trained more than once)."
        )
        alike = {
            int(number): others
            for number, others in zip(front["number"], not_told_apart(front, spread), strict=True)
            if others
        }
        if alike:
            pairs = "; ".join(
                f"#{n} from {', '.join(f'#{o}' for o in others)}" for n, others in alike.items()
            )
            said.append(f"In quality these can't be told apart at 95 %: {pairs}.")
        else:
            said.append("All designs of the front can be told apart in quality at 95 %.")
    if {"latency_low_ms", "latency_high_ms"} <= set(front.columns) and front["latency_low_ms"].notna().any():
        ratio = (front["latency_high_ms"] / front["latency_low_ms"]).median()
        said.append(
            "Latencies are estimates with a 90 % interval, drawn as horizontal bars: the slow end is"
            f" {ratio:.2f} times the fast end at the median of the front."
        )
    return said


def mattering(study: pd.DataFrame) -> list[tuple[str, list[Choice]]]:
    """The most important choices for each objective; empty where too few designs were trained to say."""
    table = importances(study)
    return [
        (
            objective.quantity.label,
            [
                Choice(row["choice"], float(row["importance"]), float(row["chance"]))
                for row in table[table["objective"] == objective.name].head(_SHOWN).to_dict("records")
            ],
        )
        for objective in objectives_of(study)
        if (table["objective"] == objective.name).any()
    ]


TOO_FEW = f"Too few designs to say: it takes {FEWEST} that were trained and differ."
