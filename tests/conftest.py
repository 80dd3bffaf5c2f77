"""What tests of every part share."""

import os
from pathlib import Path

import pytest

# Workers side by side take one core each: set before torch is imported, inherited by commands under test.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published configurations and golden outputs that lies beside a checkout."""
    folder = Path(__file__).parents[1] / "../shared"
    if not folder.is_dir():
        pytest.skip(
            f"{folder.resolve()} isn't there: it holds the published decoders' shapes and golden outputs"
        )
    return folder
