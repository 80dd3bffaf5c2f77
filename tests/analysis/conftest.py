"""Fixtures of the tests that read studies."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from study_writer import write_study

matplotlib.use("Agg")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a study into a fresh run directory: ``run(records, **options of write_study)``."""
    return lambda records, **options: write_study(tmp_path / "run", records, **options)
