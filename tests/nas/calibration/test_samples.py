"""Which rows of a table a profile is fitted to, and which are refused."""

from pathlib import Path

import pytest

from nas.calibration.measurements import SEVERAL
from nas.calibration.samples import fittable, samples
from nas.costs import load_device
from search_space.errors import UserError

HERE = Path()
PROBE = "residual_spatial-8x8-1x8x8"


@pytest.fixture(scope="module")
def phone():
    return load_device("iphone-16-pro")


@pytest.mark.parametrize("subject", [PROBE, "turbo-vaed-ltx"])
@pytest.mark.parametrize("lowering", ["shifted-2d", "Conv3D", ""])
def test_core_ml_is_given_one_of_the_lowerings(phone, make_row, subject, lowering):
    clip = {} if subject == PROBE else {"resolution": (64, 64), "frames": 9}
    with pytest.raises(UserError, match=f"lowering '{lowering}' must be conv3d or shifted_2d"):
        samples([make_row(subject, lowering=lowering, **clip)], phone, HERE)


def test_a_table_is_of_one_device(specification, make_row):
    rows = [make_row("silu-8x8-1x4x4", device=device) for device in ("host", "cuda")]
    with pytest.raises(UserError, match="devices cuda, host: give a table of one device"):
        samples(rows, specification, HERE)


def test_rows_of_no_single_unit_of_the_profile_are_left_out(phone, make_row):
    units = ("neural_engine", "gpu", "", "cpu", SEVERAL)
    fitted, left = fittable([make_row(PROBE, lowering="shifted_2d", unit=unit) for unit in units], phone)
    assert [row.unit for row in fitted] == ["neural_engine", "gpu", ""]
    assert [row.unit for row in left] == ["cpu", SEVERAL]


def test_what_ran_on_the_gpu_is_of_the_last_unit(phone, make_row):
    (sample,) = samples([make_row(PROBE, lowering="shifted_2d", unit="gpu")], phone, HERE)
    assert [unit for unit, _ in sample.chain] == [list(phone.units)[-1]]
