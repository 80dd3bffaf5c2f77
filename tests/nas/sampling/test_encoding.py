"""Designs as numbers."""

import numpy as np
import pytest

from nas.sampling.encoding import FEATURES, encode, encode_designs
from search_space import SearchSpace
from search_space.design_arrays import canonical, draw


@pytest.mark.parametrize("name", SearchSpace.presets())
def test_arrays_of_designs_are_encoded_as_their_configurations(name: str) -> None:
    space = SearchSpace.preset(name)
    designs = draw(space, np.random.default_rng(0), 200)
    encoded = encode_designs(space, designs)
    assert encoded.shape == (200, len(FEATURES))
    np.testing.assert_array_equal(encoded, encode([space.at(design) for design in designs]))


def test_equal_architectures_and_only_those_are_encoded_alike(space: SearchSpace) -> None:
    designs = draw(space, np.random.default_rng(0), 3000)
    architectures = np.unique(canonical(space, designs), axis=0)
    assert len(np.unique(encode_designs(space, designs), axis=0)) == len(architectures) < 3000
