"""The Pareto front of a study, its hypervolume and its knee.

Only designs that were trained count, at the mean over their trainings, and of those only the ones with a
finite value of every objective. A front is provisional until designs were confirmed: trained again, longer
and with several seeds. Then it is that of the confirmed ones.

Quantities whose ratios matter (latency, speed, parameters, arithmetic, memory) enter as log10, as they are
drawn: halving the latency is worth the same at 10 ms as at 1,000 ms. That leaves the front as it is and gives
the hypervolume of PSNR and latency the unit dB x decades.
"""

from collections.abc import Mapping, Sequence

import moocore
import numpy as np
import pandas as pd

from search_space.conditions import known_name, parse_condition
from search_space.errors import UserError

from .design_table import designs, finalists, identity, trained
from .quantities import LISTED, Objective, numeric_columns, objectives_of


def meeting(study: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """The rows that meet every condition (``"fps >= 24"``, ``"params<=30M"``, ``"fits"``).

    A row that lacks a value meets no condition on it.

    Raises:
        UserError: a condition can't be read, or is on something that is no numeric column.
    """
    for text in conditions:
        condition = parse_condition(text, numeric_columns(study), LISTED)
        values = study[condition.name].astype(object).where(study[condition.name].notna(), None)
        holds = [condition.holds({condition.name: value}) for value in values]
        study = study[np.array(holds, dtype=bool)]
    return study


def pareto_front(
    study: pd.DataFrame,
    objectives: Sequence[str] | None = None,
    where: Sequence[str] | None = None,
    provisional: bool = False,
) -> pd.DataFrame:
    """The designs that no other equals or beats in every objective and beats in one.

    Designs of equal value in every objective stay in together. Rows with NaN or infinity in an objective are
    left out. The front is found by ``moocore.is_nondominated`` (Kung, Luccio, Preparata, J. ACM 22(4), 1975).

    Args:
        study: a table from ``load_study``.
        objectives: column names, each alone ("params") or after its direction ("min params"). None for those
            that the search was run with.
        where: conditions that a design on the front meets ("fps >= 24"). None for the constraints that the
            search was run with: pricing a design again can move it across one.
        provisional: whether to take all designs at the quality that the search saw even where some were
            confirmed.

    Returns:
        The front's rows of ``finalists(study)``, or of ``designs(study)`` if provisional, in the order of the
        last objective, best first. ``.attrs["confirmed"]`` says which of the two it is.

    Raises:
        UserError: an unknown objective or condition.
    """
    chosen = objectives_of(study, objectives)
    known = designs(study) if provisional else finalists(study)
    candidates = meeting(known, study.attrs["study"]["constraints"] if where is None else where)
    costs = _costs(candidates, chosen)
    finite = np.isfinite(costs).all(axis=1)
    front = candidates[finite][_nondominated(costs[finite])]
    last = chosen[-1]
    return front.sort_values(last.name, ascending=last.direction == "minimize", kind="stable")


def reference_point(study: pd.DataFrame, objectives: Sequence[str] | None = None) -> dict[str, float]:
    """The worst value of each objective among the trained designs: what a hypervolume is measured from.

    To compare studies, take one reference for all of them.
    """
    table = designs(study)
    return {
        objective.name: float(
            table[objective.name].min() if objective.direction == "maximize" else table[objective.name].max()
        )
        for objective in objectives_of(study, objectives)
    }


def hypervolume(
    study: pd.DataFrame,
    objectives: Sequence[str] | None = None,
    reference: Mapping[str, float] | None = None,
) -> float:
    """How much of the objective space the provisional front dominates (Zitzler and Thiele, 1998).

    By ``moocore``, at the quality that the search saw, so that it compares with other searches whether or not
    their designs were confirmed.

    Args:
        study: a table from ``load_study``.
        objectives: as for ``pareto_front``.
        reference: a value of each objective, by name and in the column's own unit, from which to measure;
            designs worse than it in any objective add nothing. None for ``reference_point(study,
            objectives)``.

    Returns:
        The volume, with the log10 of the quantities that are drawn on a log axis; 0 where nothing was
        trained.

    Raises:
        UserError: an unknown objective, or a reference that lacks one.
    """
    curve = hypervolume_over_trials(study, objectives, reference)
    return float(curve.iloc[-1]) if len(curve) else 0.0


def hypervolume_over_trials(
    study: pd.DataFrame,
    objectives: Sequence[str] | None = None,
    reference: Mapping[str, float] | None = None,
) -> pd.Series:
    """The hypervolume after each finished training.

    Args, units and errors: as for ``hypervolume``. Designs that miss a constraint of the search add nothing.

    Returns:
        Hypervolume by trial number, one entry a trained trial. It falls only where another training of a
        design lowers its mean.
    """
    chosen = objectives_of(study, objectives)
    trainings = trained(study).sort_values("number")
    if reference is None:
        reference = reference_point(study, objectives)
    for objective in chosen:
        known_name(objective.name, list(reference))
    origin = _costs(pd.DataFrame([dict(reference)]), chosen)[0]
    by_design = trainings[study.attrs["metrics"]].groupby(identity(trainings))
    so_far = by_design.cumsum().div(by_design.cumcount() + 1, axis=0)
    quality = trainings.assign(**{name: so_far[name] for name in so_far})
    costs = _costs(quality, chosen)
    counts = np.isfinite(costs).all(axis=1) & trainings.index.isin(
        meeting(quality, study.attrs["study"]["constraints"]).index
    )
    # A design's later mean takes the place of its earlier one, so what it hid may come back.
    latest: dict[object, np.ndarray] = {}
    front = np.empty((0, len(chosen)))
    volume, volumes = 0.0, []
    for design, cost, counted in zip(identity(trainings), costs, counts, strict=True):
        again = latest.pop(design, None) is not None
        if counted:
            latest[design] = cost
        if again or (counted and not (front <= cost).all(axis=1).any()):
            known = list(latest.values()) if again else [*front, cost]
            front = np.array(known).reshape(-1, len(chosen))
            front = front[_nondominated(front)]
            volume = float(moocore.hypervolume(front, ref=origin))
        volumes.append(volume)
    return pd.Series(
        volumes, index=pd.Index(trainings["number"], name="number"), name="hypervolume", dtype=float
    )


def knee(front: pd.DataFrame, objectives: Sequence[str] | None = None) -> pd.Series:
    """The design of a front where giving up a little of one objective no longer buys much of another.

    Each objective is scaled to 0 at its worst and 1 at its best on the front; the knee is the design farthest
    above the plane through the extremes (Das, Structural Optimization 18, 1999), which is the one with the
    largest sum.

    Args:
        front: rows from ``pareto_front``.
        objectives: those that it was taken with.

    Raises:
        UserError: the front is empty.
    """
    if front.empty:
        raise UserError("the front is empty, so it has no knee: no trained design meets the constraints")
    costs = _costs(front, objectives_of(front, objectives))
    span = np.ptp(costs, axis=0)
    gains = (costs.max(axis=0) - costs) / np.where(span > 0, span, 1.0)
    return front.iloc[int(gains.sum(axis=1).argmax())]


def _costs(designs: pd.DataFrame, objectives: list[Objective]) -> np.ndarray:
    """[designs, objectives] with less being better; NaN where there is no value."""
    columns = []
    for objective in objectives:
        values = designs[objective.name].to_numpy(dtype=float)
        if objective.quantity.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log10(values)
        columns.append(values if objective.direction == "minimize" else -values)
    return np.stack(columns, axis=1)


def _nondominated(costs: np.ndarray) -> np.ndarray:
    if len(costs) == 0:
        return np.zeros(0, dtype=bool)
    return moocore.is_nondominated(costs, keep_weakly=True)
