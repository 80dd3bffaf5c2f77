"""Many designs at once are the same designs as one by one."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from search_space import SearchSpace
from search_space.design_arrays import canonical, draw


@pytest.mark.parametrize("teacher", ["wan", "wan2.2", "ltx", "dc"])
def test_positions_lead_to_a_design_and_back(teacher):
    space = SearchSpace.preset(teacher)
    designs = draw(space, np.random.default_rng(0), 50)
    for row, tidy in zip(designs, canonical(space, designs), strict=True):
        config = space.at(row)
        assert space.at(tidy).hash == config.hash
        assert space.at(space.positions(config)) == config
    assert (space.at(space.positions(space.first))) == space.first


def test_canonical_positions_are_equal_where_architectures_are(tiny):
    # nearest_grow is nearest where time stays; here it comes before it.
    fourth = replace(tiny.stages[3], upsampler=("transposed", "nearest_grow", "nearest"))
    space = replace(tiny, stages=(*tiny.stages[:3], fourth, tiny.stages[4]))
    designs = np.array(list(product(*(range(len(parameter.choices)) for parameter in space.asked))))
    tidy = [tuple(row) for row in canonical(space, designs)]
    hashes = [space.at(row).hash for row in designs]
    assert len(set(zip(tidy, hashes, strict=True))) == len(set(tidy)) == len(set(hashes)) == space.size
