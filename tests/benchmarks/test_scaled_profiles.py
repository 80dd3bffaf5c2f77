"""The profiles of devices that nobody measured follow the one that was."""

import pytest
import yaml

from benchmarks.scaled_profiles import CHIPS, FOLDER, MEASURED, scaled
from nas.costs import load_device


@pytest.mark.parametrize("name", CHIPS)
def test_scaled_profiles_follow_the_measured_one(name: str) -> None:
    expected = scaled(load_device(MEASURED), name, CHIPS[name], load_device(name))
    written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert written == expected, "run python benchmarks/scaled_profiles.py"


def test_a_scaled_figure_is_less_certain_and_says_by_what_it_was_scaled() -> None:
    measured, chip = load_device(MEASURED), load_device("ipad-pro-m4")
    path = "units.gpu.memory_gb_s"
    assert chip.figures[path].value == pytest.approx(2 * measured.figures[path].value, rel=0.01)
    assert chip.figures[path].spread > measured.figures[path].spread
    assert chip.figures[path].source.startswith("the iPhone 16 Pro's times 2.00: 120 GB/s")
