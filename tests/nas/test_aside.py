"""Files that appear whole or not at all."""

import os
import time

import pytest

from nas.aside import remove_old, written_aside

DAY_S = 24 * 3600


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with written_aside(path) as first, written_aside(path) as second:
        first.write_text("one")
        second.write_text("two")
        assert first != second
        assert path.read_text() == "old"
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing(tmp_path):
    def fail():
        with written_aside(tmp_path / "table.csv") as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not list(tmp_path.iterdir())


def test_leftovers_of_killed_writers_go_after_a_day(tmp_path):
    names = [f".table.csv.{digit * 16}.part" for digit in "ab"] + [".mine.part"]
    for name, age in zip(names, (2, 0.5, 2), strict=True):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, time.time() - age * DAY_S))
    with written_aside(tmp_path / "other.csv") as temporary:
        temporary.touch()
    assert {path.name for path in tmp_path.iterdir()} == {*names[1:], "other.csv"}


def test_old_files_are_removed(tmp_path):
    for name, age in (("old", 31), ("new", 29)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, time.time() - age * DAY_S))
    remove_old(tmp_path.iterdir(), days=30)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
