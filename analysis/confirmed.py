"""What confirms designs: trainings apart from the search, longer and by seeds of their own."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

_CONFIRMED = "confirmed"


def confirmations(attributes: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The trainings that confirm designs, by trial number as text, from a study's attributes.

    A study keeps each as ``confirmed:NUMBER:STEPS:SEED``; earlier ones kept those of a design together, as
    ``confirmed:NUMBER``. Of trainings of several lengths the longest count.
    """
    known: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for attribute, value in attributes.items():
        kind, *which = attribute.split(":")
        if kind == _CONFIRMED:
            number, *apart = which
            known[number] += [value] if apart else [{"steps": value["steps"]} | run for run in value["runs"]]
    return {number: _longest(runs) for number, runs in known.items()}


def confirmed_columns(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of a design that these trainings confirm, if any do: means, and deviations of several."""
    if not runs:
        return {"confirmed": False}
    values = {metric: [run["metrics"][metric] for run in runs] for metric in runs[0]["metrics"]}
    several = values if len(runs) > 1 else {}
    return (
        {f"confirmed.{metric}": fmean(each) for metric, each in values.items()}
        | {f"confirmed.{metric}_spread": stdev(each) for metric, each in several.items()}
        | {"confirmed.runs": len(runs), "confirmed.steps": runs[0]["steps"]}
        | {"confirmed.best_seed": max(runs, key=lambda run: run["metrics"]["psnr"])["seed"]}
        | {"confirmed": True}
    )


def _longest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    steps = max(run["steps"] for run in runs)
    return [run for run in runs if run["steps"] == steps]
