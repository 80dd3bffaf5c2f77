"""What tests of the benchmarks share: commands imported as they run, and a space of small designs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nas.costs import load_device
from nas.costs.tables.space_costs import SpaceCosts
from search_space import SearchSpace
from search_space.space_file import StageChoices


@pytest.fixture(scope="session")
def benchmarks() -> Iterator[None]:
    """The folder of benchmarks on the path of imports, as when a command in it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield


@pytest.fixture(scope="session")
def small_space() -> SearchSpace:
    """Some hundred designs."""
    return SearchSpace(
        teacher="wan",
        latent_channels=4,
        compression=(4, 8, 8),
        patch_size=(1,),
        time_doubling=("late",),
        time_padding=("symmetric",),
        stages=(
            StageChoices(blocks=(0, 1, 2, 3), conv=("spatial", "dw3")),
            StageChoices(blocks=(0,), conv=("spatial",), width=(8, 16)),
            StageChoices((0,), ("spatial",), (8,), ("nearest",)),
            StageChoices((0,), ("spatial",), (8,), ("nearest",)),
            StageChoices((0, 1, 2), ("spatial", "dw3"), (8, 16), ("nearest", "pixel_shuffle")),
        ),
    )


@pytest.fixture(scope="session")
def small_costs(small_space: SearchSpace) -> SpaceCosts:
    """Costs on a phone, of a clip as small as can be."""
    return SpaceCosts(small_space, load_device("iphone-16-pro"), resolution=(32, 32), frames=5)
