"""Where one design stands among a study's, in a sentence."""

from __future__ import annotations

import pandas as pd

from search_space.counting import plural

from .design_table import design_of, finalists
from .front import pareto_front
from .quantities import objectives_of


def place_on_front(study: pd.DataFrame, number: int) -> str:
    """Says whether a trial is on the front of its study, and what its neighbours reach.

    Args:
        study: a table from ``load_study``.
        number: of a trained trial; each training of a design stands for it.

    Raises:
        UserError: the trial was not trained.

    Returns:
        One sentence, with the values of the study's own objectives.
    """
    front = pareto_front(study)
    names = [objective.name for objective in objectives_of(study, None)]
    among = finalists(study)
    how = "confirmed" if among.attrs["confirmed"] else "trained"
    whole = f"the front ({', '.join(names)}) of the {plural(len(among), 'design')} {how}"
    rows = front.reset_index(drop=True)
    places = rows.index[rows["number"] == design_of(study, number)["number"]]
    if not len(places):
        return f"It is not on {whole}, which has {len(rows)}."
    place = int(places[0])
    around = [
        f"the {word} has {_values(rows.iloc[place + step], names)}"
        for step, word in ((-1, "one before it"), (1, "one after it"))
        if 0 <= place + step < len(rows)
    ]
    neighbours = f"; {', '.join(around)}" if around else ""
    return f"It is number {place + 1} of {len(rows)} on {whole}, by {names[-1]}{neighbours}."


def standing(design: pd.Series) -> str:
    """Says what the quality of a design rests on: one short training, several, or a confirmation.

    Args:
        design: a row from ``pick``, ``pareto_front`` or ``finalists``.
    """
    spread = f" (standard deviation {design['psnr_spread']:.2f})" if pd.notna(design["psnr_spread"]) else ""
    trainings = plural(design["repeats"], "training")
    if design["confirmed"]:
        steps = f"{plural(design['confirmed.steps'], 'step')}, apart from the search"
        return f"Its quality is confirmed: PSNR {design['psnr']:.2f} dB{spread} over {trainings} of {steps}."
    return (
        f"Its quality is provisional: PSNR {design['psnr']:.2f} dB{spread} over {trainings} as short as the"
        " search's."
    )


def _values(row: pd.Series, names: list[str]) -> str:
    return " and ".join(f"{name} {row[name]:,.4g}" for name in names)
