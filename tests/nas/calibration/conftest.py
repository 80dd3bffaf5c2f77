from pathlib import Path

import pytest

from nas.calibration.measurements import Measurement
from nas.costs import load_device

SPECIFICATION = Path(__file__).parents[3] / "benchmarks" / "measurements" / "host-specification.yaml"


@pytest.fixture(scope="session")
def specification():
    """What is known of a processor before anything is measured: a profile with three fit groups."""
    return load_device(SPECIFICATION)


def row(subject, **changes):
    """A measurement of a probe, or of what `changes` say."""
    values = {
        "config_hash": "",
        "resolution": (0, 0),
        "frames": 0,
        "device": "host",
        "unit": "",
        "lowering": "",
        "latency_ms": 1.5,
        "spread": 0.01,
        "samples": 5,
    }
    return Measurement(subject=subject, **(values | changes))


@pytest.fixture
def make_row():
    return row
