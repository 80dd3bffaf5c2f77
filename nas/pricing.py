"""Static costs of the designs of a search: from a trace for all, from conversion to Core ML for the front."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from nas.costs import estimate
from nas.costs.estimation import Source
from nas.request import Request
from nas.standing import designs
from nas.study import Study
from nas.watcher import Watcher
from search_space import DecoderConfig
from search_space.counting import plural

Costs = dict[str, Any]
Pricer = Callable[[DecoderConfig], Costs]

logger = logging.getLogger(__name__)


def pricer(request: Request, source: Source) -> Pricer:
    """Static costs of a design as its record keeps them: without the table of stages."""

    @cache
    def price(config: DecoderConfig) -> Costs:
        clip = (request.resolution, request.frames)
        costs = estimate(config, request.device, *clip, source, memory=request.memory).to_dict()
        del costs["stages"]
        return costs | {"fps_low": request.frames / costs["latency_high_ms"] * 1e3}

    return price


def reprice_front(study: Study, price: Pricer, watcher: Watcher) -> None:
    """Prices the front and what is confirmed from Core ML conversion, as far as that wasn't done yet."""
    wanted = ({number for number, _ in study.front()} | study.confirmed) - study.repriced
    waiting = [(number, record) for number, record in designs(study.trials()) if number in wanted]
    if waiting:
        watcher.say(
            f"pricing {plural(len(waiting), 'design')} of the front again, from their conversion to Core ML"
        )
    for number, record in waiting:
        try:
            study.reprice(number, price(DecoderConfig.from_dict(record["config"])))
        except Exception as error:  # coremltools fails on it, or can't be loaded: the trace price stays
            logger.exception("trial %d could not be priced from Core ML conversion", number)
            watcher.say(f"trial {number} keeps its price from the trace: {error}")
