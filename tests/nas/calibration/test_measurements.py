import pytest

from nas.calibration.measurements import read_measurements, write_measurements
from search_space.errors import UserError

HEADER = "subject,config_hash,resolution,frames,device,unit,lowering,latency_ms,spread,samples\n"
PROBE = "silu-8x8-1x4x4,,,,host,,,1.5,0.01,5\n"


def test_what_was_written_is_read_back(tmp_path, make_row):
    rows = [
        make_row("silu-8x8-1x4x4"),
        make_row("turbo-vaed-ltx", config_hash="ecc41df6d5e1", resolution=(64, 96), frames=9, unit="gpu"),
    ]
    write_measurements(tmp_path / "measured.csv", rows)
    assert read_measurements(tmp_path / "measured.csv") == rows


def test_a_row_that_is_not_filled_in_is_skipped_and_other_columns_are_left_alone(tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(HEADER.strip() + ",note\nmean-8x8-1x4x4,,,,host,,,,,,\n" + PROBE.strip() + ",warm\n")
    assert [row.subject for row in read_measurements(path)] == ["silu-8x8-1x4x4"]


def test_a_table_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(HEADER + PROBE, encoding="utf-8-sig")
    assert [row.subject for row in read_measurements(path)] == ["silu-8x8-1x4x4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("unit,", "") + PROBE, "no column unit"),
        (HEADER + PROBE.replace("1.5", "fast"), "line 2: latency_ms 'fast'"),
        (HEADER + PROBE.replace("1.5", "-1"), "line 2: latency_ms '-1'"),
        (HEADER + PROBE.replace("0.01", "nan"), "line 2: spread 'nan'"),
        (HEADER + PROBE.replace(",5\n", ",few\n"), "line 2: samples 'few'"),
        (HEADER + PROBE.replace("host", ""), "line 2: device is empty"),
        (HEADER + "turbo-vaed-ltx,,big,9,host,,,1.5,0.01,5\n", "line 2: resolution 'big'"),
        (HEADER + "turbo-vaed-ltx,,64x64,,host,,,1.5,0.01,5\n", "line 2: frames ''"),
        (HEADER + PROBE + PROBE, "line 3: silu-8x8-1x4x4 is there twice"),
        (HEADER + "silu-8x8-1x4x4,,,host\n", "line 2: give 10 cells"),
        (HEADER + PROBE.strip() + ",warm\n", "line 2: give 10 cells"),
        (HEADER.replace(",", ";"), "separated by commas"),
    ],
)
def test_a_broken_table_is_named_with_the_line(tmp_path, text, message):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as refused:
        read_measurements(path)
    assert str(path) in str(refused.value)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.csv"):
        read_measurements(tmp_path / "nothing.csv")
