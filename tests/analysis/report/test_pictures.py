"""What a report shows of frames."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_parts import write_frames

from analysis.report.pictures import FULL_SCALE, difference_map, pictures, read_sheet


def decoded(uri: str) -> np.ndarray:
    """The pixels of a data URI."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


@pytest.mark.parametrize("clips", [1, 4])
def test_a_sheet_is_cut_into_the_frames_that_it_was_made_of(tmp_path: Path, clips: int) -> None:
    frames = write_frames(tmp_path / "frames.png", seed=0, clips=clips)
    assert np.array_equal(read_sheet(tmp_path / "frames.png"), frames)


def test_a_difference_map_is_black_where_equal_and_brightest_from_full_scale_up() -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    other = frame.copy()
    other[0, 1], other[1, 0] = FULL_SCALE, 255
    shown, off = difference_map(frame, other)
    assert shown[0, 0].max() <= 4
    assert (shown[0, 1] == shown[1, 0]).all()
    assert shown[0, 1].min() > 180
    assert off == (FULL_SCALE + 255) / 4


def test_each_picture_is_there_once_and_as_it_was(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "frames.png", seed=0)
    same = {1: tmp_path / "frames.png", 2: tmp_path / "frames.png"}
    shown = pictures(same, budget=10**6)
    assert len(shown["images"]) == 20
    assert shown["designs"][1] == shown["designs"][2]
    clip = shown["designs"][1][2]
    for place, name in enumerate(("original", "teacher", "student")):
        assert np.array_equal(decoded(shown["images"][clip[name]]), frames[2, place])
    off = np.abs(frames[2, 2].astype(int) - frames[2, 1]).mean()
    assert clip["off_teacher"] == pytest.approx(off)


def test_many_pictures_stay_within_their_budget(tmp_path: Path) -> None:
    paths = {}
    for number in range(12):
        paths[number] = tmp_path / f"{number}.png"
        write_frames(paths[number], seed=number)
    fewer = pictures(paths, budget=25_000)  # fewer clips of each before designs are left out
    assert {len(clips) for clips in fewer["designs"].values()} == {2}
    budget = 10_000
    shown = pictures(paths, budget)
    assert sum(map(len, shown["images"])) < 1.5 * budget
    assert 0 in shown["designs"]  # the most important first
    assert "left out, so that the page stays small" in shown["missing"][11]


def test_what_is_no_sheet_is_said_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (90, 1000)).save(tmp_path / "tall.png")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    Image.new("RGB", (60, 60)).save(tmp_path / "jpeg.png", "JPEG")
    names = ("absent", "text", "tall", "bomb", "jpeg")
    shown = pictures({i: tmp_path / f"{name}.png" for i, name in enumerate(names)}, budget=10**6)
    assert shown["designs"] == {}
    assert shown["missing"][0] == f"there is no {tmp_path / 'absent.png'}"
    assert "90x1000 pixels are not three columns" in shown["missing"][2]
    assert all("can't be read as its frames" in shown["missing"][i] for i in range(1, 5))
