"""A space of small designs with real costs, and a made-up teacher that says how good they are."""

from collections.abc import Callable

import numpy as np
import pytest

from nas.costs import load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.sampling.encoding import FEATURES, encode_designs
from nas.sampling.pool import Pricer
from search_space import SearchSpace
from search_space.space_file import StageChoices

Quality = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="session")
def space() -> SearchSpace:
    """Some 60,000 designs."""
    convolutions, upsamplers = ("spatial", "dw3", "two_frame"), ("nearest", "transposed", "pixel_shuffle")
    return SearchSpace(
        teacher="wan",
        latent_channels=4,
        compression=(4, 8, 8),
        patch_size=(1,),
        time_doubling=("late",),
        time_padding=("symmetric",),
        stages=(
            StageChoices(blocks=(0, 1, 2), conv=convolutions),
            StageChoices(blocks=(0,), conv=("spatial",), width=(8, 16)),
            StageChoices((0, 1), ("spatial",), (8, 16), upsamplers),
            StageChoices((0, 1), convolutions, (8, 16), upsamplers),
            StageChoices((0, 1, 2), convolutions, (8, 16), upsamplers),
        ),
    )


@pytest.fixture(scope="session")
def costs(space: SearchSpace) -> Pricer:
    """Costs on a phone, of a clip as small as can be."""
    return SpaceCosts(space, load_device("iphone-16-pro"), resolution=(32, 32), frames=5).costs


@pytest.fixture(scope="session")
def quality(space: SearchSpace, costs: Pricer) -> Quality:
    """Of designs [N, P], dB [N]: rises with arithmetic, and one upsampler is better than its price tells."""
    good = [name.endswith("upsampler_nearest") for name in FEATURES]

    def of(designs: np.ndarray) -> np.ndarray:
        return 2 * np.log10(costs(designs).flops) + encode_designs(space, designs)[:, good].sum(axis=1)

    return of
