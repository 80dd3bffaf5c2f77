"""A profile with fitted figures: their values, what their sources then say, and the ensemble."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import exp, hypot, log, sqrt
from typing import Any

import numpy as np

from nas.calibration.fitting_factors import Factors
from nas.costs.device import DeviceProfile
from search_space.errors import UserError

IDENTIFIED = 0.5  # a figure whose standard deviation shrank to this share of its prior's was measured
_MOST_UNEXPLAINED = 100.0  # a factor, as profiles are checked for


def _deviations(factors: Factors, members: np.ndarray) -> dict[str, tuple[float, float]]:
    """Standard deviations of the logarithm of each fitted figure, before and after the fit, by its path.

    A figure's own spread, beside its group's, stays: one that merely moves with others is not determined.
    """
    posterior = np.sqrt(np.mean(members**2, axis=0))
    found: dict[str, tuple[float, float]] = {}
    for group, before, after in zip(factors.groups, factors.widths, posterior, strict=True):
        for path in factors.paths[group.name]:
            own = log(factors.profile.figures[path].spread)
            others = found.get(path, (own, own))
            found[path] = (hypot(others[0], before), hypot(others[1], float(after)))
    return found


def without_spread(profile: DeviceProfile, paths: Collection[str]) -> DeviceProfile:
    """`profile` with these figures certain: what is known of them is in the ensemble."""
    return with_figures(profile, {path: {"spread": 1.0} for path in paths})


def with_factors(
    factors: Factors,
    best: np.ndarray,
    members: np.ndarray,
    ran: Collection[tuple[str, str]],
    source: str,
    name: str,
) -> DeviceProfile:
    """The profile of `factors`, called `name`, with its figures multiplied by those of logarithms `best` [G].

    Its ensemble has the logarithms `members` [K, G]. `source` says what was fitted to what; a figure that was
    not determined by it, or of a kind that is not among the units and kinds that `ran`, says that too.
    """
    profile = factors.profile
    determined = {
        path
        for path, (before, after) in _deviations(factors, members).items()
        if after <= IDENTIFIED * before and _ran(path, ran)
    }
    figures = {
        path: {
            "value": float(f"{profile.figures[path].value * float(factor[0]):.4g}"),
            "source": f"{source}{'' if path in determined else _MOVED}; before: "
            f"{_origin(profile.figures[path].source)}",
        }
        for path, factor in factors.factors(best[:, np.newaxis]).items()
    }
    data = with_figures(profile, figures).model_dump(mode="json")
    data |= {
        "name": name,
        "version": profile.version + 1,
        "fit": [group.model_dump(mode="json") for group in factors.groups],
        "ensemble": {
            "columns": [group.name for group in factors.groups],
            "rows": [[float(f"{factor:.4g}") for factor in row] for row in np.exp(members)],
        },
        "calibration": source,
    }
    return DeviceProfile.model_validate(data)


_MOVED = ", which moved it along and do not determine it"


def _ran(path: str, ran: Collection[tuple[str, str]]) -> bool:
    """Whether a figure of a kind's rate on a unit is of one that ran; other figures are of all kinds."""
    parts = path.split(".")
    return parts[2:3] != ["rates"] or (parts[1], parts[3]) in ran


def with_residual(profile: DeviceProfile, residual: float, source: str) -> DeviceProfile:
    """`profile` with this residual; beyond the coverage the same variance is added to it as before.

    Raises:
        UserError: the measurements leave more unexplained than a profile can say.
    """
    if residual > _MOST_UNEXPLAINED:
        raise UserError(
            f"the measurements are a factor of {residual:.3g} from what the profile can explain:"
            " measure again on an idle device, decoders of full size among them"
        )
    added = log(profile.residual_beyond.value) ** 2 - log(profile.residual.value) ** 2
    data = profile.model_dump(mode="json")
    data["residual"] = {
        "value": float(f"{residual:.3g}"),
        "source": f"errors of measurements left out of the fit, {source}",
    }
    beyond = min(exp(sqrt(log(residual) ** 2 + added)), _MOST_UNEXPLAINED)
    data["residual_beyond"]["value"] = float(f"{beyond:.3g}")
    return DeviceProfile.model_validate(data)


def _origin(source: str) -> str:
    """A figure's source before any fit, so that fitting again doesn't pile them up."""
    return source.rsplit("; before: ", 1)[-1]


def with_figures(profile: DeviceProfile, changes: Mapping[str, Mapping[str, Any]]) -> DeviceProfile:
    data = profile.model_dump(mode="json")
    for path, change in changes.items():
        figure = data
        for part in path.split("."):
            figure = figure[part]
        figure |= change
    return DeviceProfile.model_validate(data)
