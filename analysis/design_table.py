"""The designs of a study: one row each, however often it was trained."""

import pandas as pd

from search_space.errors import UserError


def trained(study: pd.DataFrame) -> pd.DataFrame:
    """The rows of the trials that were trained to the end."""
    return study[study["outcome"] == "trained"]


def identity(trainings: pd.DataFrame) -> pd.Series:
    """What tells designs apart: the hash, or the trial's number where a table has none."""
    return trainings["hash"].where(trainings["hash"].notna(), trainings["number"].astype(str))


def designs(study: pd.DataFrame) -> pd.DataFrame:
    """One row a design that was trained to the end, with its quality averaged over its trainings.

    Args:
        study: a table from ``load_study``; what this function returned comes back as it is.

    Returns:
        Of each design the row of its first training, with every metric the mean over its trainings, and
        ``psnr_spread`` (``ssim_spread``, …): their standard deviation (n - 1 in the denominator), NaN of a
        single one. ``repeats`` says how many there were. ``.attrs["rows"]`` is "designs".
    """
    if study.attrs.get("rows") == "designs":
        return study
    trainings = trained(study)
    design = identity(trainings)
    first = trainings[~design.duplicated()]
    by_design = trainings.groupby(design, sort=False)[study.attrs["metrics"]]
    means = by_design.mean().set_axis(first.index)
    spreads = by_design.std().set_axis(first.index).add_suffix("_spread")
    table = first.assign(**means, **spreads)
    table.attrs = study.attrs | {"rows": "designs", "confirmed": False}
    return table


def finalists(study: pd.DataFrame) -> pd.DataFrame:
    """The designs among which a choice is made.

    Args:
        study: a table from ``load_study``, or from this function.

    Returns:
        Where designs were confirmed, those alone, with their metrics, spreads and ``repeats`` those of the
        confirmation, and ``.attrs["confirmed"]`` True; otherwise all ``designs``, and False. Quality after a
        short training and after a long one don't compare, so the two never stand in one table.
    """
    table = designs(study)
    if table.attrs["confirmed"] or not table["confirmed"].any():
        return table
    table = table[table["confirmed"]]
    columns = [f"{metric}{ending}" for metric in study.attrs["metrics"] for ending in ("", "_spread")]
    quality = {name: table.get(f"confirmed.{name}", float("nan")) for name in columns}
    table = table.assign(**quality, repeats=table["confirmed.runs"])
    table.attrs |= {"confirmed": True}
    return table


def design_of(study: pd.DataFrame, number: int) -> pd.Series:
    """The design that a trial trained: its row of ``finalists``, or of ``designs`` where it isn't confirmed.

    Raises:
        UserError: no such trial was trained to the end; says which were.
    """
    trainings = trained(study).set_index("number", drop=False)
    if number not in trainings.index:
        numbers = ", ".join(map(str, trainings.index)) or "none"
        raise UserError(f"trial {number} was not trained; trained are: {numbers}")
    wanted = identity(trainings)[number]
    for table in (finalists(study), designs(study)):
        found = table[identity(table) == wanted]
        if len(found):
            break
    return found.iloc[0]
