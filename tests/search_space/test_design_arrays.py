"""Many designs at once are the same designs as one by one."""

from itertools import product

import numpy as np
import pytest

from search_space import SearchSpace
from search_space.design_arrays import canonical, draw
from search_space.space_file import StageChoices


@pytest.mark.parametrize("teacher", ["wan", "wan2.2", "ltx", "dc"])
def test_positions_lead_to_a_design_and_back(teacher):
    space = SearchSpace.preset(teacher)
    designs = draw(space, np.random.default_rng(0), 50)
    for row, tidy in zip(designs, canonical(space, designs), strict=True):
        config = space.at(row)
        assert space.at(tidy).hash == config.hash
        assert space.at(space.positions(config)) == config
    assert (space.at(space.positions(space.first))) == space.first


def test_canonical_positions_are_equal_where_architectures_are():
    space = SearchSpace(
        teacher="wan",
        latent_channels=4,
        compression=(4, 8, 8),
        patch_size=(1, 2),
        time_doubling=("early", "late"),
        time_padding=("symmetric", "causal"),
        stages=(
            StageChoices(blocks=(0, 1), conv=("dw3", "spatial")),
            StageChoices(blocks=(0,), conv=("dw3", "spatial"), width=(8, 16)),
            StageChoices(blocks=(0,), conv=("dense",), width=(8, 16), upsampler=("pixel_shuffle",)),
            StageChoices((0, 1), ("dense", "dw7"), (8, 16), ("transposed", "nearest_grow", "nearest")),
            StageChoices((0,), ("spatial", "dense"), (8,), ("decoupled_pixel_shuffle",)),
        ),
    )
    designs = np.array(list(product(*(range(len(parameter.choices)) for parameter in space.asked))))
    tidy = [tuple(row) for row in canonical(space, designs)]
    hashes = [space.at(row).hash for row in designs]
    assert len(set(zip(tidy, hashes, strict=True))) == len(set(tidy)) == len(set(hashes)) == space.size
