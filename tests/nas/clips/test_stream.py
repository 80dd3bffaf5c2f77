"""Clips without end."""

from pathlib import Path

import pytest
import torch

from nas.clips.stream import ClipStream, Footage, find_footage, validation_clips
from search_space.errors import UserError

FEW = {"frames": 5, "validation_frames": 9, "size": 64, "validation": 2, "surveyed_frames": 1024}


def test_footage_comes_back_from_its_record(tmp_path: Path, write_video, scene) -> None:
    for number, colour in enumerate(((200, 30, 30), (30, 200, 30), (30, 30, 200))):
        write_video(tmp_path / f"{number}.mp4", scene(30, colour))
    found = find_footage(tmp_path, **FEW, surveyed_files=8, seed=0)
    found.save(tmp_path / "footage.json")
    again = Footage.load(tmp_path / "footage.json")
    first, second = (ClipStream(footage.train, 5, 64, 0) for footage in (found, again))
    assert torch.equal(first[3], second[3])
    assert torch.equal(validation_clips(found, 3, 9, 64, 0), validation_clips(again, 3, 9, 64, 0))
    train = {shot.path for shot in again.train}
    assert not train & {shot.path for shots in again.validation for shot in shots}
    assert again.split == "2 scenes to train on, 1 others to validate on"


def test_goes_on_without_a_file_that_is_gone_and_ends_without_any(tmp_path: Path, write_video, scene) -> None:
    for number, colour in enumerate(((200, 30, 30), (30, 200, 30), (30, 30, 200))):
        write_video(tmp_path / f"{number}.mp4", scene(30, colour))
    stream = ClipStream(find_footage(tmp_path, **FEW, surveyed_files=8, seed=0).train, 5, 64, 0)
    paths = {shot.path for shot in stream.shots}
    paths.pop().unlink()
    assert all(stream[number].any() for number in range(4))
    paths.pop().unlink()
    with pytest.raises(UserError, match="can't be read any more"):
        stream[0]


def test_a_folder_without_clips_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no video"):
        find_footage(tmp_path, **FEW, surveyed_files=8, seed=0)
