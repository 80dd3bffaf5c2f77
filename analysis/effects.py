"""What each choice of a design gives or takes at equal latency."""

import numpy as np
import pandas as pd
from scipy.stats import t

from .built_choices import built_choices
from .design_table import designs
from .quantities import objectives_of
from .uncertainty import LEVEL

FEWEST = 10  # designs of which anything can be said
_COLUMNS = ["choice", "level", "designs", "effect", "low", "high"]


def choice_effects(study: pd.DataFrame, metric: str = "psnr", cost: str = "latency_ms") -> pd.DataFrame:
    """How much better or worse designs of each choice are than the others of the same cost.

    Slower designs are better whatever they chose, so choices are compared along a curve: the metric is fitted
    by a parabola in log10 of the cost, plus a constant for each level of one choice (analysis of covariance;
    Fisher, 1932), one choice after another. The constant, less the mean of all designs' constants, is the
    level's effect; its interval is Student's t with the residuals' variance. That says what designs of a
    level reach for the same cost when the rest was chosen as this search chose it. It doesn't say that the
    choice alone did it, and of twenty levels that do nothing one seems to.

    Args:
        study: a table from ``load_study``; each design counts once, with the mean over its trainings, as the
            search saw it.
        metric: the column that is compared.
        cost: the column that is held equal.

    Returns:
        One row a choice and level, in the order of the space, with ``choice``, ``level``, ``designs`` (how
        many have it), ``effect`` in the metric's unit, and its 95 % interval from ``low`` to ``high``. Empty
        where fewer than 10 designs were trained.

    Raises:
        UserError: an unknown column.
    """
    names = [objective.name for objective in objectives_of(study, [metric, cost])]
    table = designs(study)
    table = table.loc[np.isfinite(table[names].to_numpy(dtype=float)).all(axis=1)]
    if len(table) < FEWEST:
        return pd.DataFrame(columns=_COLUMNS)
    quality = table[metric].to_numpy(dtype=float)
    place = np.log10(table[cost].to_numpy(dtype=float))
    rows = []
    for choice, column in built_choices(table).items():
        levels = sorted(column.unique())
        has = np.stack([(column == level).to_numpy() for level in levels], axis=1).astype(float)
        for level, count, effect in zip(levels, has.sum(axis=0), _effects(quality, place, has), strict=True):
            rows.append((choice, level, int(count), *effect))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _effects(quality: np.ndarray, place: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Effect, low and high of each level, [levels, 3]; NaN for bounds where no freedom is left.

    Args:
        quality: [designs].
        place: [designs], where on the curve they stand.
        has: [designs, levels] of ones and zeros, a single one in each row.
    """
    centred = place - place.mean()
    terms = np.column_stack([has, centred, centred**2])
    inverse = np.linalg.pinv(terms.T @ terms)
    fitted = inverse @ terms.T @ quality
    residuals = quality - terms @ fitted
    freedom = len(quality) - np.linalg.matrix_rank(terms)
    # A level's constant less the mean over designs of theirs.
    contrasts = np.zeros((has.shape[1], terms.shape[1]))
    contrasts[:, : has.shape[1]] = np.eye(has.shape[1]) - has.mean(axis=0)
    effects = contrasts @ fitted
    if freedom < 1:
        return np.column_stack([effects, np.full((len(effects), 2), np.nan)])
    variance = residuals @ residuals / freedom
    errors = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", contrasts, inverse, contrasts) * variance, 0))
    reach = t.ppf((1 + LEVEL) / 2, freedom) * errors
    return np.column_stack([effects, effects - reach, effects + reach])
