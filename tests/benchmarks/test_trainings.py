"""The table of trainings that is shipped, and how it is gathered."""

import importlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nas.material import Material
from nas.settings import load_settings
from search_space import DecoderConfig, SearchSpace

TRAININGS = Path(__file__).parents[2] / "benchmarks" / "trainings"


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """The commands' modules, which import each other by their bare names, as when they are run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAININGS)
        yield {name: importlib.import_module(name) for name in ("designs", "gather", "table")}


@pytest.fixture
def material() -> Material:
    """Two clips of noise."""
    clips = torch.randint(256, (2, 3, 5, 32, 32), dtype=torch.uint8)
    latents = torch.randn(2, 16, 2, 4, 4)
    frames = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    return Material(clips, latents, None, None, clips, latents, 20.0, frames)


def test_the_table_is_what_it_says(modules: dict[str, ModuleType]) -> None:
    trainings = modules["table"].load()
    space = SearchSpace.preset("wan")
    parameters = {f"param.{parameter.name}" for parameter in space.asked}
    assert set(trainings.columns) == set(modules["table"].COLUMNS) | parameters
    assert not trainings.duplicated(["preset", "steps", "hash", "seed"]).any()
    for row in trainings.itertuples():
        config = DecoderConfig.from_dict(json.loads(row.config))
        assert config.hash == row.hash
        assert len(row.curve_step) == len(row.curve_psnr)
        assert math.isfinite(row.psnr) != isinstance(row.reason, str)


def test_the_first_designs_are_trained_first_and_some_of_them_thrice(modules: dict[str, ModuleType]) -> None:
    designs = modules["designs"].read()
    gather = modules["gather"]
    order = [(chosen.name, seed) for chosen, seed in gather.order(designs)]
    assert order[: gather.RANKED] == [(chosen.name, 0) for chosen in designs[: gather.RANKED]]
    assert len(set(order)) == len(order)
    times = Counter(name for name, _ in order)
    assert [times[chosen.name] for chosen in designs] == [3] * 30 + [1] * (len(designs) - 30)


def test_a_training_that_has_a_row_is_not_made_again(
    modules: dict[str, ModuleType], material: Material, tmp_path: Path
) -> None:
    gather = modules["gather"]
    training = {"steps": 1, "batch": 1, "window": None, "feature_weight": 0.0}
    settings = load_settings("cpu")
    settings = settings.model_copy(update={"training": settings.training.model_copy(update=training)})
    settings = gather.lengthened(settings, 2)
    small = [chosen for chosen in modules["designs"].read() if chosen.name in ("stratum-008", "stratum-017")]
    one, both = [(small[0], 0)], [(chosen, 0) for chosen in small]
    shared = {"footage": "0" * 16, "weights": {"digest": "1" * 64}}
    gather.work(0, one, material, settings, shared, tmp_path, math.inf)
    (first,) = tmp_path.iterdir()
    written = first.stat().st_mtime_ns
    gather.work(0, both, material, settings, shared, tmp_path, math.inf)
    assert len(list(tmp_path.iterdir())) == 2
    assert first.stat().st_mtime_ns == written
    assert [step for step, _ in json.loads(first.read_text())["curve"]] == [1, 2]
    gather.work(0, one, material, settings, shared | {"footage": "2" * 16}, tmp_path, math.inf)
    assert len(list(tmp_path.iterdir())) == 3  # other clips are another training
    first.unlink()
    gather.work(0, both, material, settings, shared, tmp_path, 0)  # too late to begin anything
    assert len(list(tmp_path.iterdir())) == 2
