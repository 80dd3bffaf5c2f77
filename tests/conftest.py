"""What tests of every part share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published configurations and golden outputs that lies beside a checkout."""
    folder = Path(__file__).parents[1] / "../shared"
    if not folder.is_dir():
        pytest.skip(
            f"{folder.resolve()} isn't there: it holds the published decoders' shapes and golden outputs"
        )
    return folder
