"""How far quality moves between seeds, and which designs are therefore not to be told apart.

Every training ends a little higher or lower with another seed. Designs that were trained more than once show
by how much; the variance is taken to be the same for all designs of a study, so that it can be pooled.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, t

from .design_table import finalists

LEVEL = 0.95
"""Of every interval and every comparison."""


@dataclass(frozen=True)
class SeedSpread:
    """The pooled standard deviation of a metric between trainings of one design.

    Attributes:
        metric: the column.
        deviation: in the metric's unit.
        degrees: of freedom: trainings less designs, of those trained more than once.
        designs: that were trained more than once.
    """

    metric: str
    deviation: float
    degrees: int
    designs: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true standard deviation lies, at 95 %: by the chi-squared distribution."""
        tails = chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], self.degrees)
        low, high = self.deviation * np.sqrt(self.degrees / tails)
        return float(low), float(high)

    def margin(self, trainings: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The difference between two means that seeds alone exceed in 5 % of cases.

        By Student's t for two means with a pooled variance, a pair at a time (Fisher's least significant
        difference): among many pairs, one in twenty that are equal seems different.

        Args:
            trainings: how many the one mean is of; any shape.
            others: how many the other is of; a shape that broadcasts with it.
        """
        quantile = t.ppf((1 + LEVEL) / 2, self.degrees)
        return quantile * self.deviation * np.sqrt(1 / trainings + 1 / others)


def seed_spread(study: pd.DataFrame, metric: str = "psnr") -> SeedSpread | None:
    """How far a metric moves between seeds.

    Args:
        study: a table from ``load_study``: then the trainings of its ``finalists`` count, which of a study
            with confirmed designs are not the search's shorter ones. Or a table from ``designs``, for the
            search's, or from ``finalists``.
        metric: the column.

    Returns:
        None where no design was trained twice: then nobody knows.
    """
    table = study if study.attrs.get("rows") == "designs" else finalists(study)
    if f"{metric}_spread" not in table:
        return None
    table = table[table[f"{metric}_spread"].notna()]
    freedom = table["repeats"].to_numpy(dtype=int) - 1
    if not freedom.sum():
        return None
    variance = (freedom * table[f"{metric}_spread"].to_numpy() ** 2).sum() / freedom.sum()
    return SeedSpread(metric, float(np.sqrt(variance)), int(freedom.sum()), len(table))


def not_told_apart(front: pd.DataFrame, spread: SeedSpread | None) -> pd.Series:
    """For each design of a front, the others whose quality seeds alone could have made different.

    Args:
        front: rows from ``pareto_front``.
        spread: from the whole study, which knows more of it than its front alone.

    Returns:
        Lists of trial numbers in the front's order, by the front's index; all empty where the spread isn't
        known, which doesn't mean that the designs differ.
    """
    if spread is None:
        return pd.Series([[] for _ in front.index], index=front.index, dtype=object)
    quality = front[spread.metric].to_numpy(dtype=float)
    trainings = front["repeats"].to_numpy(dtype=float)
    apart = np.abs(quality[:, None] - quality) > spread.margin(trainings[:, None], trainings)
    np.fill_diagonal(apart, True)
    numbers = front["number"].to_numpy()
    return pd.Series([numbers[~row].tolist() for row in apart], index=front.index, dtype=object)
