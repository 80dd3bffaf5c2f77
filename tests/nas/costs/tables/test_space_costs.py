"""Costs by tables are those of `estimate`."""

from itertools import product

import numpy as np
import pytest

from nas.costs import estimate, load_device
from nas.costs.tables.space_costs import SpaceCosts
from search_space import SearchSpace

CLIP = {"resolution": (64, 64), "frames": 9}
MEMORY = {"ample": None, "tight": 400_000, "none": 1000}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp()))


@pytest.mark.parametrize("memory", MEMORY)
def test_costs_by_tables_are_those_of_estimate(tiny: SearchSpace, memory: str) -> None:
    everything = np.array(list(product(*(range(len(parameter.choices)) for parameter in tiny.asked))))
    designs = np.random.default_rng(0).choice(everything, 60, replace=False)
    profile = load_device("iphone-16-pro")
    costs = SpaceCosts(tiny, profile, **CLIP, memory=MEMORY[memory]).costs(designs)
    for row, design in enumerate(designs):
        expected = estimate(tiny.at(design), profile.name, **CLIP, source="trace", memory=MEMORY[memory])
        for name in set(vars(costs)) - {"busiest"}:
            values, value = getattr(costs, name), getattr(expected, name)
            if isinstance(value, float):
                assert values[row] == pytest.approx(value, rel=1e-6), name
            else:
                assert values[row] == value, name
