import pytest

from search_space import SearchSpace
from search_space.space_file import StageChoices


@pytest.fixture
def tiny() -> SearchSpace:
    """Small enough to list, with stages of no blocks, equal widths, and choices that may mean nothing."""
    return SearchSpace(
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
            StageChoices((0, 1), ("dense", "dw7"), (8, 16), ("transposed", "nearest", "nearest_grow")),
            StageChoices((0,), ("spatial", "dense"), (8,), ("decoupled_pixel_shuffle",)),
        ),
    )
