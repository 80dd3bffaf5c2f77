"""A sweep's front is the front of every design."""

from itertools import product

import moocore
import numpy as np
import pytest

from nas.constraints import parse_constraints
from nas.costs import estimate, load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.objectives import COSTS
from nas.sweep import Priced, exact_front, sweep
from search_space import SearchSpace
from search_space.errors import UserError
from search_space.space_file import StageChoices

CLIP = {"resolution": (64, 64), "frames": 9}


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace(
        teacher="wan",
        latent_channels=4,
        compression=(4, 8, 8),
        patch_size=(1, 2),
        time_doubling=("early", "late"),
        time_padding=("symmetric", "causal"),
        stages=(
            StageChoices(blocks=(0, 1), conv=("dw3",)),
            StageChoices(blocks=(0, 1), conv=("factored", "spatial"), width=(8, 16)),
            StageChoices((0,), ("dense",), (8, 16), ("pixel_shuffle", "bilinear")),
            StageChoices((0, 1), ("dense", "two_frame"), (8, 16), ("transposed", "nearest_grow")),
            StageChoices((0, 1), ("spatial", "dw5"), (8,), ("nearest",)),
        ),
    )


@pytest.fixture(scope="module")
def costs(space: SearchSpace) -> SpaceCosts:
    return SpaceCosts(space, load_device("iphone-16-pro"), **CLIP, memory=10_000_000)


@pytest.fixture(scope="module")
def everything(space: SearchSpace, costs: SpaceCosts) -> list[Priced]:
    """Every design in each of the ways to decode it without tiles."""
    designs = np.array(list(product(*(range(len(parameter.choices)) for parameter in space.asked))))
    found = []
    for way in costs.untiled():
        can = np.isin(costs.chain.variant(costs.chain.rows(designs)), costs.variants(way))
        found.append(Priced(designs[can], costs.costs(designs[can], way)))
    return found


@pytest.mark.parametrize("texts", [(), ("fps>={fps}",), ("latency_ms<={latency_ms}", "flops>={flops}")])
def test_front_is_that_of_all_designs_that_meet_the_constraints(
    costs: SpaceCosts, everything: list[Priced], texts: tuple[str, ...]
) -> None:
    medians = {name: np.median(getattr(everything[0].costs, name)) for name in COSTS}
    constraints = parse_constraints([text.format(**medians) for text in texts])
    points = [
        np.column_stack([priced.costs.latency_ms, -priced.costs.flops])[priced.meeting(constraints)]
        for priced in everything
    ]
    all_points = np.concatenate(points)
    expected = np.unique(all_points[moocore.is_nondominated(all_points)], axis=0)
    front = exact_front(costs)
    found = front[front.meeting(constraints)]
    np.testing.assert_allclose(
        np.column_stack([found.costs.latency_ms, -found.costs.flops]), expected, rtol=1e-9
    )


def test_costs_on_the_front_are_those_of_estimate(space: SearchSpace, costs: SpaceCosts) -> None:
    front = exact_front(costs)
    for row in range(0, len(front.designs), 5):
        lowering, mode = front.costs.lowering[row], front.costs.mode[row]
        modes = estimate(
            space.at(front.designs[row]), "iphone-16-pro", **CLIP, source="trace", lowering=lowering
        ).modes
        (expected,) = (found for found in modes if found.mode == mode)
        assert front.costs.latency_ms[row] == pytest.approx(expected.latency_ms, rel=1e-6)
        assert front.costs.peak_memory_bytes[row] == expected.peak_memory_bytes


def test_designs_drawn_are_different_ones(space: SearchSpace, costs: SpaceCosts) -> None:
    drawn = sweep(space, costs, 3000).drawn
    hashes = {space.at(design).hash for design in drawn.designs}
    assert len(hashes) == len(drawn.designs) == len(drawn.costs.params)
    with pytest.raises(UserError, match="samples 0"):
        sweep(space, costs, 0)
