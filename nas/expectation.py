"""How long a search may take, said before it begins."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from nas.record import STOPPED, TRAINED, outcome_of, record_of
from nas.settings import Settings
from nas.study import Study
from nas.training_step import EAGER_STEPS
from nas.workers import Progress, Task, Workers
from search_space import DecoderConfig
from search_space.counting import plural

_STEPS = EAGER_STEPS + 4  # the first are slower than the rest

logger = logging.getLogger(__name__)


def expected(
    study: Study, missing: int, workers: Workers, settings: Settings, configs: Sequence[DecoderConfig]
) -> str:
    """How long the missing trainings may take, from the study's earlier ones or a few steps of some designs.

    Args:
        study: that holds the earlier ones.
        missing: trainings.
        workers: that are to train.
        settings: clips, and the settings of the trainings.
        configs: designs to be timed.
    """
    over = [record_of(trial) for trial in study.trials() if outcome_of(trial) in (TRAINED, STOPPED)]
    seconds = [sum(record["seconds"].values()) for record in over]
    basis = f"the mean of {len(seconds)} earlier ones"
    if not seconds:
        seconds = [timed for config in configs if (timed := _timed(config, workers, settings)) is not None]
        basis = f"by a few steps of {plural(len(seconds), 'design')}"
    if not seconds:
        return f"expected: {plural(missing, 'training')}; how long they take will show"
    each = sum(seconds) / len(seconds)
    minutes = round(missing * each / workers.size / 60)
    total = f"{minutes} min in all" if minutes else "under a minute in all"
    return f"expected: {plural(missing, 'training')} of about {each:.0f} s ({basis}), {total}"


def _timed(config: DecoderConfig, workers: Workers, settings: Settings) -> float | None:
    """What training a design may take, s; None where a few steps of it fail.

    Its trial will fail too, with the reason; the search goes on without it.
    """
    few = settings.training.model_copy(update={"steps": _STEPS, "curve_points": 1})
    news: list[Progress] = []
    try:
        outcome = workers.submit(Task(0, config.to_dict(), 0, few), news.append).result()
    except RuntimeError:  # `TrainingError`, `WorkerLostError`
        logger.exception("a few steps of %s failed", config.hash)
        return None
    seconds = outcome.record["seconds"]
    # Not the last step, which is told after the curve was measured.
    step = (news[-2].seconds - news[-4].seconds) / 2
    points = settings.training.curve_points * settings.training.curve_clips / settings.clips.validation
    return seconds["build"] + step * settings.training.steps + seconds["validate"] * (1 + points)
