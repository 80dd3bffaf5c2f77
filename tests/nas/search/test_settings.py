"""Settings: the shipped presets, and what is said of a wrong file."""

from pathlib import Path

import pytest

from nas.settings import load_settings, presets
from search_space.errors import UserError


def test_presets_are_whole() -> None:
    assert presets() == ["cpu", "gpu"]
    assert load_settings("gpu").proxy is None
    assert load_settings("cpu").proxy is not None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("steps: 4", "stepz: 4", "training.steps: Field required"),
        ("warm_up: 1", "warm_up: 1\n  extra: 2", "training.extra: Extra inputs"),
        ("batch: 2", "batch: 0", "training.batch: Input should be greater than 0"),
        ("size: 32", "size: large", "clips.size: Input should be a valid integer"),
        ("clips:", "clips: [", "not YAML"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, small_settings: str, before: str, after: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(small_settings.replace(before, after))
    with pytest.raises(UserError, match=r"mine\.yaml") as error:
        load_settings(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_survives_being_written(tmp_path: Path) -> None:
    import yaml

    settings = load_settings("cpu")
    path = tmp_path / "cpu.yaml"
    path.write_text(yaml.safe_dump(settings.to_dict()))
    assert load_settings(path) == settings


def test_a_file_without_a_confirmation_gets_the_usual_one(tmp_path: Path, small_settings: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(small_settings)
    settings = load_settings(path)
    assert settings.confirmation == load_settings("cpu").confirmation
    assert "confirmation" not in settings.of_search()
    assert (settings.of_confirmation().steps, settings.of_confirmation().curve_points) == (16, 8)
