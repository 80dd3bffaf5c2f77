"""Settings of a full training in small."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas.training.settings import FullTrainingSettings, load_training


@pytest.fixture
def settings_of() -> Callable[..., FullTrainingSettings]:
    """The settings in a folder, with some of them changed."""

    def read(folder: Path, **changes: Any) -> FullTrainingSettings:
        settings = load_training(folder / "training.yaml")
        return FullTrainingSettings.model_validate(settings.model_dump() | changes)

    return read
