"""Studies compared with each other: their fronts, and what they were defined by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .design_table import designs, finalists
from .front import hypervolume, pareto_front, reference_point
from .quantities import objectives_of
from .uncertainty import seed_spread

# What figures of two studies must share to compare; a name stands for all that lies below it.
_OF_QUALITY = ("teacher", "weights.digest", "footage", "settings")
_OF_COSTS = ("device", "device_digest", "resolution", "frames", "memory")
_NAMED = 4  # differences, at most, that a sentence names
_INCIDENTAL = ("weights.source", "weights.description", "created", "run", "sources", "versions", "version")


def compare_studies(
    studies: Mapping[str, pd.DataFrame], objectives: Sequence[str] | None = None
) -> pd.DataFrame:
    """The fronts of several studies side by side.

    Args:
        studies: tables from ``load_study``, by what to call them.
        objectives: as for ``pareto_front``. None for those of the first study.

    Returns:
        One row a study, by its name, with ``teacher``, ``weights``, ``device``, ``trials``, ``trained``
        (designs), ``front`` (its size), ``confirmed`` (whether that is of confirmed designs), ``hypervolume``
        (of the provisional front, from one reference for all: the worst of any study in each objective),
        ``joint`` (how many of its designs are on the front of all studies together), ``best.OBJECTIVE``, and
        ``seed_spread`` of the PSNR in dB. ``.attrs["reference"]`` is that reference, and
        ``.attrs["incomparable"]`` lists in words why figures don't compare; empty where they do.

    Raises:
        UserError: an objective that some study lacks.
    """
    asked = objectives or [str(objective) for objective in objectives_of(next(iter(studies.values())))]
    chosen = {name: objectives_of(study, asked) for name, study in studies.items()}
    reference: dict[str, float] = {}
    for objective in next(iter(chosen.values())):
        corners = [reference_point(study, asked)[objective.name] for study in studies.values()]
        worst = np.nanmin if objective.direction == "maximize" else np.nanmax
        known = [corner for corner in corners if np.isfinite(corner)]
        reference[objective.name] = float(worst(known)) if known else float("nan")
    joint = _on_joint_front(studies, asked)
    rows = []
    for name, study in studies.items():
        front, known_designs, spread = pareto_front(study, asked), designs(study), seed_spread(study)
        best = {
            f"best.{objective.name}": (
                front[objective.name].max()
                if objective.direction == "maximize"
                else front[objective.name].min()
            )
            for objective in chosen[name]
        }
        rows.append(
            {
                "study": name,
                "teacher": study.attrs["study"]["teacher"],
                "weights": study.attrs["study"]["weights"]["kind"],
                "device": study.attrs["study"]["device"],
                "trials": len(study),
                "trained": len(known_designs),
                "front": len(front),
                "confirmed": front.attrs["confirmed"],
                "hypervolume": hypervolume(study, asked, reference) if len(known_designs) else 0.0,
                "joint": joint.get(name, 0),
                "seed_spread": spread.deviation if spread else float("nan"),
            }
            | best
        )
    compared = pd.DataFrame(rows).set_index("study")
    compared.attrs = {"reference": reference, "incomparable": _incomparable(studies)}
    return compared


def definition_differences(studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What studies were defined by that isn't the same in all of them.

    Args:
        studies: tables from ``load_study``, by what to call them.

    Returns:
        One row a difference, by its dotted name ("space.up1.width"), one column a study; values as JSON has
        them, None where a study lacks one.
    """
    flat = {name: _dotted(study.attrs["study"]) for name, study in studies.items()}
    keys = dict.fromkeys(key for values in flat.values() for key in values)
    rows = {
        key: [values.get(key) for values in flat.values()]
        for key in keys
        if not any(key == other or key.startswith(f"{other}.") for other in _INCIDENTAL)
    }
    differing = {key: values for key, values in rows.items() if any(value != values[0] for value in values)}
    return pd.DataFrame.from_dict(differing, orient="index", columns=list(flat), dtype=object)


def _dotted(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _dotted(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return found


def _incomparable(studies: Mapping[str, pd.DataFrame]) -> list[str]:
    """Why figures of these studies don't compare, a sentence each."""
    differing = list(definition_differences(studies).index)
    sentences = []
    for what, needed in (("quality doesn't", _OF_QUALITY), ("latency and memory don't", _OF_COSTS)):
        found = [key for key in differing if any(key == n or key.startswith(f"{n}.") for n in needed)]
        if found:
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            sentences.append(f"{what} compare: the studies differ in {', '.join(found[:_NAMED])}{more}")
    confirmed = {finalists(study).attrs["confirmed"] for study in studies.values()}
    if len(confirmed) > 1:
        sentences.append("best values don't compare: only some of the studies confirmed designs")
    return sentences


def _on_joint_front(studies: Mapping[str, pd.DataFrame], objectives: Sequence[str]) -> dict[str, int]:
    """How many designs each study has on the provisional front of all together."""
    fronts = [
        pareto_front(study, objectives, provisional=True).assign(study=name)
        for name, study in studies.items()
    ]
    union = pd.concat(fronts, ignore_index=True)
    if union.empty:
        return {}
    union.attrs = fronts[0].attrs
    joint = pareto_front(union, objectives, where=[], provisional=True)
    return {name: int((joint["study"] == name).sum()) for name in studies}
