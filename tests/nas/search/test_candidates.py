"""What is tried first, and when nothing has worked for long."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.candidates import Costs, start_up, unseen
from nas.constraints import parse_constraints
from search_space import DecoderConfig, SearchSpace
from search_space.errors import UserError


@pytest.fixture
def space(tmp_path: Path, small_space: str) -> SearchSpace:
    path = tmp_path / "space.yaml"
    path.write_text(small_space)
    return SearchSpace.load(path)


def by_width(config: DecoderConfig) -> Costs:
    """Costs of a made-up device whose latency is the sum of widths."""
    latency = float(sum(stage.width for stage in config.stages))
    return {"latency_ms": latency, "fps": 1000 / latency, "params": 1, "fits": True}


def test_begins_with_the_published_design_and_spreads_over_latency(space: SearchSpace) -> None:
    first, *others = start_up(space, by_width, (), np.random.default_rng(0))
    assert first == space.first
    latencies = {by_width(config)["latency_ms"] for config in others}
    everything = [by_width(space.sample(np.random.default_rng(seed)))["latency_ms"] for seed in range(99)]
    assert min(latencies) == min(everything)
    assert max(latencies) == max(everything)
    assert len(latencies) == len(others) > 3


def test_random_designs_meet_the_constraints(space: SearchSpace) -> None:
    constraints = parse_constraints(["latency_ms<=80"])
    _, *others = start_up(space, by_width, constraints, np.random.default_rng(0))
    assert max(by_width(config)["latency_ms"] for config in others) <= 80


def test_a_constraint_that_none_meets_names_the_best(space: SearchSpace) -> None:
    smallest = 16 + 16 + 16 + 16 + 8
    with pytest.raises(UserError, match=f"'latency_ms <= 1': the best has {smallest}"):
        start_up(space, by_width, parse_constraints(["latency_ms<=1"]), np.random.default_rng(0))


def test_finds_what_is_left_until_nothing_is(space: SearchSpace) -> None:
    known: set[str] = set()
    find: Callable[[], DecoderConfig | None] = lambda: unseen(  # noqa: E731
        space, by_width, (), known, np.random.default_rng(len(known))
    )
    while (config := find()) is not None:
        assert config.hash not in known
        known.add(config.hash)
    assert len(known) == space.size
