"""Settings of full trainings: the shipped ones, and what a file may get wrong."""

from pathlib import Path

import pytest

from nas.training.settings import TeacherSettings, load_training
from nas.training.stepping import rate_share
from search_space.errors import UserError

TEACHER = TeacherSettings(name="wan")


@pytest.mark.parametrize("name", ["published", "cpu"])
def test_presets_come_back_from_their_file(name: str, tmp_path: Path) -> None:
    settings = load_training(name, TEACHER)
    (tmp_path / "training.yaml").write_text(settings.to_yaml())
    assert load_training(tmp_path / "training.yaml") == settings


def test_the_published_recipe_is_the_published_one() -> None:
    published = load_training("published", TEACHER)
    assert (published.data.frames, published.data.size) == (17, 256)
    assert (published.batch, published.accumulation, published.average) == (1, 8, 0.999)
    optimiser = published.optimiser
    assert (optimiser.learning_rate, optimiser.betas) == (1e-4, (0.9, 0.95))
    assert (optimiser.eps, optimiser.weight_decay) == (1e-15, 1e-4)
    assert (published.perceptual.weight, published.features.weight) == (1.0, 1.0)
    assert published.adversarial is not None
    assert published.adversarial.weight == 0.05


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("steps: many", r"steps: Input should be a valid integer"),
        ("stesp: 3", r"stesp: Extra inputs are not permitted"),
        ("[", r"not YAML"),
        ("data: {clips: 5}", r"data.frames: Field required"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, wrong: str, message: str) -> None:
    path = tmp_path / "training.yaml"
    lines = load_training("cpu", TEACHER).to_yaml().splitlines()
    if not wrong.startswith("["):
        key = wrong.split(":")[0]
        start = next((i for i, line in enumerate(lines) if line.startswith(f"{key}:")), len(lines))
        end = next((i for i in range(start + 1, len(lines)) if lines[i][0] != " "), len(lines))
        lines[start:end] = []
    path.write_text("\n".join([*lines, wrong]))
    with pytest.raises(UserError, match=message):
        load_training(path)


def test_needs_a_teacher() -> None:
    with pytest.raises(UserError, match="teacher: Field required"):
        load_training("cpu")


def test_the_rate_rises_then_falls_to_its_last_share() -> None:
    settings = load_training("cpu", TEACHER)
    shares = [rate_share(step, settings) for step in range(settings.steps + 1)]
    warm_up = settings.optimiser.warm_up
    assert shares[: warm_up + 1] == sorted(shares[: warm_up + 1])
    assert max(shares) == shares[warm_up] == 1
    assert shares[-1] == pytest.approx(settings.optimiser.final_rate)
