"""What becomes of a candidate before anything is trained: costs are known, and so is what was tried."""

from __future__ import annotations

import time
from dataclasses import dataclass

from optuna.trial import Trial

from nas import claims
from nas.constraints import why_refused
from nas.pricing import Pricer
from nas.record import REFUSED, REPEATED, Record
from nas.study import Study
from nas.trial import Job
from search_space import DecoderConfig, SearchSpace, design_name
from search_space.conditions import Condition
from search_space.errors import UserError


@dataclass(frozen=True)
class Judge:
    """Prices candidates, refuses some and claims the others.

    Attributes:
        study: that candidates are of.
        space: what a trial's parameters mean.
        price: static costs of a design.
        constraints: on those costs.
        job: what is trained for a design.
    """

    study: Study
    space: SearchSpace
    price: Pricer
    constraints: tuple[Condition, ...]
    job: Job

    def judge(self, trial: Trial, record: Record, budget: int) -> DecoderConfig | None:
        """Has a candidate priced and, where it may be trained, claimed.

        Args:
            trial: that was asked for.
            record: of the trial; gains what is known of the design and, where it isn't to be trained, why.
            budget: trainings of the study, at most.

        Returns:
            The design, where it is to be trained.
        """
        started = time.perf_counter()
        try:
            config = self.space.suggest(trial)
        except UserError as error:
            record |= {"outcome": REFUSED, "reason": str(error)}
            return None
        record |= {"hash": config.hash, "name": design_name(config), "config": config.to_dict()}
        trials = self.study.trials()
        earlier = claims.first_of(trials, trial.number, config.hash, trial.user_attrs)
        if earlier is not None:
            record |= {"outcome": REPEATED, "reason": f"the same design as trial {earlier}"}
            return None
        record["costs"] = self.price(config)
        if (reason := why_refused(self.constraints, record["costs"])) is not None:
            record |= {"outcome": REFUSED, "reason": reason}
            return None
        trained = self.price(self.job.trained(config))
        record["proxy"] = {"params": trained["params"], "flops": trained["flops"]}
        record["seconds"] = {"price": time.perf_counter() - started}
        record |= self.study.claim(trial, record, budget)
        return config if "outcome" not in record else None
