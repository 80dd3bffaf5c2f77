"""The trials of a study, as the page's table and its front need them."""

from typing import Any

import numpy as np
import pandas as pd

from ..design_table import designs, finalists
from ..design_text import described
from ..front import pareto_front
from ..quantities import objectives_of
from .columns import Column, column

_BOUNDS = ("latency_low_ms", "latency_high_ms")  # of the 90 % interval of the latency
_COSTS = ("latency_ms", "fps", "params", "flops", "peak_memory_bytes")


def shown_columns(study: pd.DataFrame) -> list[Column]:
    """The columns of the table of trials, in their order."""
    metrics = list(dict.fromkeys(["psnr", "ssim", *(o.name for o in objectives_of(study))]))
    numbers = dict.fromkeys([*metrics, *_COSTS])
    return [
        column("number"),
        column("outcome", "text"),
        column("design", "text"),
        *(column(key) for key in numbers if key in study.columns),
        column("fits", "flag"),
        column("source", "text"),
        column("repeats"),
        column("seconds"),
        column("reason", "text"),
    ]


def trial_table(study: pd.DataFrame) -> pd.DataFrame:
    """The ``shown_columns`` of every trial, waiting ones included, and the bounds of the latency if known.

    ``design`` is the design in a few words, and ``seconds`` what all parts of the trial took.
    """
    parts = study[[name for name in study.columns if name.startswith("seconds.")]]
    shown = [column.key for column in shown_columns(study)]
    return study.assign(
        design=[described(row) for row in study.to_dict("records")],
        seconds=parts.sum(axis=1, min_count=1) if parts.shape[1] else np.nan,
    )[[*shown, *(name for name in _BOUNDS if name in study.columns)]]


def views(study: pd.DataFrame) -> list[dict[str, Any]]:
    """The sets of designs that the front can be drawn of, the one to begin with first.

    After a confirmation these are the confirmed designs at their confirmed quality, and the designs as the
    search saw them; otherwise only the latter.
    """
    confirmed = finalists(study)
    if not confirmed.attrs["confirmed"]:
        return [_view("provisional", "after the search", designs(study), pareto_front(study))]
    return [
        _view("confirmed", "confirmed by longer trainings", confirmed, pareto_front(study)),
        _view("provisional", "as the search saw it", designs(study), pareto_front(study, provisional=True)),
    ]


def _view(key: str, label: str, table: pd.DataFrame, front: pd.DataFrame) -> dict[str, Any]:
    own = [*table.attrs["metrics"], "psnr_spread", "repeats"]  # the rest is as in the table of trials
    return {
        "key": key,
        "label": label,
        "front": front["number"].tolist(),
        "numbers": table["number"].tolist(),
        "values": {name: plain(table[name]) for name in own if name in table.columns},
    }


def plain(values: pd.Series) -> list[Any]:
    """A column as JSON can hold it, in nine digits: None for what isn't known or isn't finite."""
    if pd.api.types.is_bool_dtype(values):
        return [None if pd.isna(value) else bool(value) for value in values]
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return [
            None
            if not np.isfinite(number)
            else int(number)
            if number.is_integer()
            else float(f"{number:.9g}")
            for number in numbers.tolist()
        ]
    return [None if pd.isna(value) else str(value) for value in values]


def curves(study: pd.DataFrame) -> dict[str, list[list[Any]]]:
    """The learning curves, to the hundredth of a dB.

    Returns:
        ``steps``: each series of steps once; ``of``: of each trial the place of its series there and then its
        PSNRs, empty where it has no curve.
    """
    series: dict[tuple[int, ...], int] = {}
    of = []
    for curve in study["curve"]:
        points = curve if isinstance(curve, list) else []
        steps = tuple(step for step, _ in points)
        place = [series.setdefault(steps, len(series))] if points else []
        of.append([*place, *(round(psnr, 2) for _, psnr in points)])
    return {"steps": [list(steps) for steps in series], "of": of}
