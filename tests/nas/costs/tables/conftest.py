"""A space small enough to go through every design of it."""

import pytest

from search_space import SearchSpace
from search_space.space_file import StageChoices


@pytest.fixture(scope="session")
def tiny() -> SearchSpace:
    """Stages without blocks, equal widths, upsamplers of every kind, several placements."""
    return SearchSpace(
        teacher="wan",
        latent_channels=4,
        compression=(4, 8, 8),
        patch_size=(1, 2),
        time_doubling=("early", "late"),
        time_padding=("symmetric", "causal"),
        stages=(
            StageChoices(blocks=(0, 1), conv=("dw3", "spatial")),
            StageChoices(blocks=(0, 1), conv=("factored",), width=(8, 16)),
            StageChoices((0,), ("dense",), (8, 16), ("pixel_shuffle", "bilinear")),
            StageChoices((0, 1, 2), ("dense", "two_frame"), (8, 16), ("transposed", "nearest_grow")),
            StageChoices((0, 1), ("spatial", "dw5"), (8,), ("decoupled_pixel_shuffle",)),
        ),
    )
