"""Which choices matter for an objective, and which seem to by chance."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import MeanDecreaseImpurityImportanceEvaluator
from optuna.trial import FrozenTrial

from .built_choices import built_choices
from .design_table import designs
from .quantities import objectives_of

FEWEST = 10  # designs of which anything can be said
_MOST = 500  # designs that are looked at: more change little, and cost minutes
_SHUFFLES = 20
_TREES = 32

optuna.logging.set_verbosity(optuna.logging.WARNING)  # its news of every study in memory says nothing


def importances(study: pd.DataFrame, objectives: Sequence[str] | None = None) -> pd.DataFrame:
    """How much of an objective's variation among the trained designs each choice explains.

    By Optuna's mean decrease in impurity of a random forest (Louppe et al., NeurIPS 2013). Of a few dozen
    designs it finds the choices that matter as often as fANOVA, in less time, and more often than PED-ANOVA,
    Optuna's default, whose best tenth of 50 designs is five (benchmarks/importance_evaluators.py). Forests
    find something in noise too; how much, is seen by giving them the same designs with the objective's values
    shuffled (Altmann et al., Bioinformatics 26(10), 2010).

    Args:
        study: a table from ``load_study``; each design counts once, with the mean over its trainings, as the
            search saw it. Of more than 500 designs, 500 drawn at random are taken.
        objectives: as for ``pareto_front``.

    Returns:
        One row a choice and objective, with ``choice``, ``objective``, ``importance`` (they sum to 1 over an
        objective's choices) and ``chance`` (the most that one of 20 shuffled forests gave that choice: what
        doesn't exceed it may be chance, at 95 %). The most important for the first objective come first.
        Empty where fewer than 10 designs were trained, or where all are the same.
    """
    table = designs(study)
    rows = []
    for objective in objectives_of(study, objectives):
        known = table[np.isfinite(table[objective.name].astype(float))]
        if len(known) > _MOST:
            known = known.sample(_MOST, random_state=0)
        choices = built_choices(known)
        values = known[objective.name].to_numpy(dtype=float)
        if objective.quantity.log:
            values = np.log10(values)
        if len(known) < FEWEST or choices.empty or not np.ptp(values):
            continue
        rng = np.random.default_rng(0)
        found, *shuffled = _evaluate(choices, [values, *(rng.permutation(values) for _ in range(_SHUFFLES))])
        rows += [
            (name, objective.name, importance, max(other[name] for other in shuffled))
            for name, importance in sorted(found.items(), key=lambda item: -item[1])
        ]
    return pd.DataFrame(rows, columns=["choice", "objective", "importance", "chance"])


def _evaluate(choices: pd.DataFrame, values: Sequence[np.ndarray]) -> list[dict[str, float]]:
    """Importance by choice, for each of several objectives [designs].

    Optuna's evaluators take a study, so one is made in memory: for all objectives together, since copying its
    trials takes longer than fitting the forests.
    """
    distributions: dict[str, BaseDistribution] = {}
    for name, column in choices.items():
        if pd.api.types.is_numeric_dtype(column):
            distributions[str(name)] = FloatDistribution(float(column.min()), float(column.max()))
        else:
            distributions[str(name)] = CategoricalDistribution(sorted(column.unique()))
    rows = [dict(zip(distributions, row, strict=True)) for row in choices.itertuples(index=False)]
    study = optuna.create_study(directions=["minimize"] * len(values))
    study.add_trials(
        [
            optuna.trial.create_trial(params=params, distributions=distributions, values=each)
            for params, each in zip(rows, np.stack(values, axis=1).tolist(), strict=True)
        ]
    )
    found = []
    for i in range(len(values)):
        evaluator = MeanDecreaseImpurityImportanceEvaluator(n_trees=_TREES, seed=i)
        target = partial(_value, i)
        found.append(optuna.importance.get_param_importances(study, evaluator=evaluator, target=target))
    return found


def _value(objective: int, trial: FrozenTrial) -> float:
    """What a trial reached in one of its objectives."""
    return float(trial.values[objective])
