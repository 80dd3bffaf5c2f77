"""The profiles of devices that nobody measured follow the one that was."""

import numpy as np
import pytest
import yaml

from benchmarks.scaled_profiles import CHIPS, FOLDER, MEASURED, scaled
from nas.costs import load_device
from nas.costs.ensemble import sampled


@pytest.mark.parametrize("name", CHIPS)
def test_scaled_profiles_follow_the_measured_one(name: str) -> None:
    expected = scaled(load_device(MEASURED), name, CHIPS[name], load_device(name))
    written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert written == expected, "run python benchmarks/scaled_profiles.py"


def test_a_scaled_figure_is_less_certain_and_says_by_what_it_was_scaled() -> None:
    measured, chip = load_device(MEASURED), load_device("ipad-pro-m4")
    path = "units.rank5.memory_gb_s"
    assert chip.figures[path].value == pytest.approx(2 * measured.figures[path].value, rel=0.01)
    assert chip.figures[path].source.startswith("the iPhone 16 Pro's times 2.00: 120 GB/s")
    one, other = (np.log(sampled(profile).units["rank5"].memory) for profile in (measured, chip))
    assert other.std() > one.std()


def test_what_runs_rank_5_programs_is_scaled_between_both_processors() -> None:
    for chip in CHIPS.values():
        least, most = sorted((chip.gpu.value, chip.neural_engine.value))
        assert chip.rank5.value / chip.rank5.spread < least
        assert chip.rank5.value * chip.rank5.spread > most


def test_figures_of_one_source_are_drawn_together() -> None:
    rates = sampled(load_device("ipad-pro-m4")).units["neural_engine"].rates
    dense, product = (np.log(rates[kind].flop_s) for kind in ("convolution", "matrix_product"))
    assert np.corrcoef(dense, product)[0, 1] > 0.99
