"""Which of Optuna's evaluators finds the choices that matter, where only a few designs were trained.

    python benchmarks/importance_evaluators.py

Random designs of the `wan` space get a made-up quality: of each choice an effect, the largest a third larger
than the next, and so on, in an order drawn anew each time, with noise of a fifth of the largest. Printed is
how many of the five largest each evaluator has among its first five, on average over repetitions; by lot it
would be 5 x 5 / 20 = 1.25.
"""

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)

from search_space import SearchSpace

COUNTS = (20, 50, 100)
FIRST = 5
EVALUATORS: dict[str, Callable[[], BaseImportanceEvaluator]] = {
    "mean decrease in impurity": lambda: MeanDecreaseImpurityImportanceEvaluator(n_trees=32, seed=0),
    "fANOVA": lambda: FanovaImportanceEvaluator(seed=0),
    "PED-ANOVA, best tenth": lambda: PedAnovaImportanceEvaluator(),
    "PED-ANOVA, best quarter": lambda: PedAnovaImportanceEvaluator(target_quantile=0.25),
}


def made_up(space: SearchSpace, count: int, rng: np.random.Generator) -> tuple[optuna.Study, list[str]]:
    """A study of random designs with made-up quality, and the choices from the largest effect down."""
    order = rng.permutation(len(space.asked))
    distributions: dict[str, BaseDistribution] = {}
    quality = rng.normal(0, 0.2, count)
    chosen: list[dict[str, object]] = [{} for _ in range(count)]
    for place, index in enumerate(order):
        parameter = space.asked[index]
        values = parameter.values
        if parameter.ordered:
            distributions[parameter.name] = IntDistribution(values[0], values[-1])
            effects = np.linspace(-1, 1, len(values))
        else:
            distributions[parameter.name] = CategoricalDistribution(values)
            effects = rng.normal(size=len(values))
        effects = (effects - effects.mean()) / effects.std() * 0.75**place
        positions = rng.integers(len(values), size=count)
        quality += effects[positions]
        for design, position in zip(chosen, positions, strict=True):
            design[parameter.name] = values[position]
    study = optuna.create_study(direction="maximize")
    for design, value in zip(chosen, quality, strict=True):
        study.add_trial(
            optuna.trial.create_trial(params=design, distributions=distributions, value=float(value))
        )
    return study, [space.asked[index].name for index in order]


def found(evaluator: BaseImportanceEvaluator, study: optuna.Study, truth: list[str]) -> int:
    """How many of the largest are among the evaluator's first."""
    importance = get_param_importances(study, evaluator=evaluator)
    return len(set(sorted(importance, key=lambda name: -importance[name])[:FIRST]) & set(truth[:FIRST]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=10)
    repetitions = parser.parse_args().repetitions
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")  # of experimental interfaces, at every call
    space = SearchSpace.preset("wan")
    print(f"{'of the five largest, found':<28}" + "".join(f"{count:>12} designs" for count in COUNTS))
    studies = {
        count: [made_up(space, count, np.random.default_rng(seed)) for seed in range(repetitions)]
        for count in COUNTS
    }
    for name, evaluator in EVALUATORS.items():
        hits = [np.mean([found(evaluator(), *each) for each in studies[count]]) for count in COUNTS]
        print(f"{name:<28}" + "".join(f"{hit:>20.1f}" for hit in hits), flush=True)


if __name__ == "__main__":
    main()
