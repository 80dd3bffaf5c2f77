"""Which clips are evaluated on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from nas.clips.footage import UnusableVideoError, sample_files, video_files
from nas.clips.protocol import first_frames
from nas.clips.stream import Footage, find_footage, held_out_clips
from nas.listener import Listener
from nas.teachers import Teacher
from nas.training.files import TrainingFiles
from nas.training.settings import DataSettings
from search_space.counting import plural

# As UCF-101 is commonly measured, in arXiv 2508.09136 too.
_UCF101_FRAMES, _UCF101_SIZE = 17, 256


def held_out(
    student: Path, data: Path | None, settings: DataSettings, seed: int, count: int, teacher: Teacher
) -> Iterator[tuple[str, Tensor]]:
    """Clips of scenes that a training on these videos holds out.

    Args:
        student: a design's folder: where it was trained on the same videos, its own held-out scenes are
        taken. data: a folder of videos; None for the `samples` extra's.
        settings: how a training cuts them.
        seed: of that training.
        count: clips.
        teacher: says which lengths come back whole.

    Yields:
        Names, and uint8 `[3, T, size, size]`.

    Raises:
        UserError: there is no such path, or not enough footage.
    """
    frames = teacher.frames(settings.validation_frames)
    record = TrainingFiles(student).footage
    footage = Footage.load(record) if record.is_file() else None
    if footage is None or footage.data != ("" if data is None else str(data)):
        footage = find_footage(
            data,
            frames=teacher.frames(settings.frames),
            validation_frames=frames,
            size=settings.size,
            validation=settings.validation,
            surveyed_frames=settings.surveyed_frames,
            surveyed_files=settings.surveyed_files,
            seed=seed,
        )
    yield from held_out_clips(footage, count, frames, settings.size, seed)


def ucf101(
    data: Path | None, count: int | None, teacher: Teacher, listener: Listener
) -> Iterator[tuple[str, Tensor]]:
    """The first 17 frames of every file at 256x256, as UCF-101 is commonly measured.

    Args:
        data: a folder of videos, as of UCF-101's test split; None for the `samples` extra's.
        count: files, the first ones by name; None for all.
        teacher: says which length comes back whole.
        listener: hears which files are skipped.

    Yields:
        Names, and uint8 `[3, 17, 256, 256]`.

    Raises:
        UserError: there is no such path, or no video in it.
    """
    files = sample_files() if data is None else video_files(data)
    frames = teacher.frames(_UCF101_FRAMES)
    if frames != _UCF101_FRAMES:
        listener.say(f"{teacher.name} returns {plural(frames, 'frame')} whole, not {_UCF101_FRAMES}")
    for path in files[:count]:
        try:
            yield path.name, first_frames(path, frames, _UCF101_SIZE)
        except UnusableVideoError as error:
            listener.say(f"skipped {path}: {error}")
