"""Clips without end, cut one at a time out of as much footage as there is: what a full training sees.

Which clip has which number is a function of the footage and a seed alone, so that a training that is
continued sees what it would have seen, and several processes share the numbers out among them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from nas.aside import written_aside
from search_space.errors import UserError

from .footage import UnusableVideoError, sample_files, video_files
from .loading import Cutting, cut, draw, survey_all
from .scenes import Shot, group_scenes
from .split import split_scenes

_ATTEMPTS = 16  # at a clip, where files have been damaged or removed since they were surveyed


@dataclass(frozen=True)
class Footage:
    """Shots to cut training clips from, and scenes of other shots to cut validation clips from.

    Attributes:
        data: where the videos are, as it was given.
        train: shots of `frames` frames or more.
        validation: shots by scene.
        skipped: files that give none, each with its reason.
        split: one sentence: how training and validation were told apart.
    """

    data: str
    train: list[Shot]
    validation: list[list[Shot]]
    skipped: list[tuple[Path, str]]
    split: str

    def save(self, path: Path) -> None:
        """Writes everything but the shots' looks, whole or not at all."""
        record = {
            "data": self.data,
            "split": self.split,
            "train": [_row(shot) for shot in self.train],
            "validation": [[_row(shot) for shot in scene] for scene in self.validation],
            "skipped": [[str(file), reason] for file, reason in self.skipped],
        }
        with written_aside(path) as temporary:
            temporary.write_text(json.dumps(record) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Footage:
        """Reads what `save` wrote.

        Raises:
            UserError: it can't be read, or isn't that.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                record["data"],
                [_shot(row) for row in record["train"]],
                [[_shot(row) for row in scene] for scene in record["validation"]],
                [(Path(file), reason) for file, reason in record["skipped"]],
                record["split"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} doesn't hold the footage of a training ({error})") from None


def find_footage(
    data: Path | None,
    *,
    frames: int,
    validation_frames: int,
    size: int,
    validation: int,
    surveyed_frames: int,
    surveyed_files: int,
    seed: int,
) -> Footage:
    """Finds the scenes of videos and holds some out; the same arguments always find the same.

    Args:
        data: a directory of videos, searched with its subdirectories, or one; None for the `samples` extra's.
        frames: of a training clip.
        validation_frames: of a validation clip.
        size: videos with a shorter side below it are skipped, px.
        validation: scenes to hold out at most.
        surveyed_frames: looked at, spread over the videos.
        surveyed_files: at most, chosen at random.
        seed: of the choices.

    Raises:
        UserError: a path that isn't there, no usable video (with the reasons), or too little footage.
    """
    files = sample_files() if data is None else video_files(data)
    source = "the sample clips" if data is None else str(data)
    rng = np.random.default_rng(seed)
    shots, skipped = survey_all(
        files, source, frames, validation_frames, size, surveyed_frames, surveyed_files, rng
    )
    split = split_scenes(group_scenes(shots), frames, validation_frames, validation, source, rng)
    train = [shot for scene in split.train for shot in scene]
    return Footage("" if data is None else str(data), train, split.validation, skipped, split.description)


class ClipStream(Dataset[Tensor]):
    """Training clips by number, uint8 `[3, T, size, size]`; any number from 0 up is one."""

    def __init__(self, shots: list[Shot], frames: int, size: int, seed: int, mirrored: bool = False) -> None:
        """Every other clip is mirrored left to right, at random, where `mirrored` asks for it."""
        self.shots, self.frames, self.size, self.seed = shots, frames, size, seed
        self.mirrored = mirrored

    def __getitem__(self, number: int) -> Tensor:
        """Cuts one clip at a random time, place and scale.

        Raises:
            UserError: several shots in a row can't be read any more.
        """
        rng = np.random.default_rng((self.seed, number))
        clip = np.zeros((3, self.frames, self.size, self.size), np.uint8)
        error: Exception | None = None
        for _ in range(_ATTEMPTS):
            cuttings: dict[tuple[Path, float], list[Cutting]] = defaultdict(list)
            draw(clip, self.shots, cuttings, rng)
            (((path, start), here),) = cuttings.items()
            try:
                cut(path, start, here, self.size)
            except (av.FFmpegError, OSError, UnusableVideoError) as failed:
                error = failed
                continue
            if self.mirrored and rng.random() < 0.5:
                clip = clip[..., ::-1].copy()
            return torch.from_numpy(clip)
        raise UserError(f"{path}: can't be read any more ({error}); so are others of its folder")


def held_out_clips(
    footage: Footage, count: int, frames: int, size: int, seed: int
) -> Iterator[tuple[str, Tensor]]:
    """Clips of the scenes held out, each scene's as often as another's, one after the other.

    Yields:
        The names of the scene's files, and uint8 `[3, frames, size, size]`: always the same for the same
        footage and seed.
    """
    scenes = footage.validation
    for number in range(count):
        shots = scenes[number % len(scenes)]
        names = ", ".join(sorted({shot.path.name for shot in shots}))
        yield names, ClipStream(shots, frames, size, seed)[number]


def validation_clips(footage: Footage, count: int, frames: int, size: int, seed: int) -> Tensor:
    """The clips of `held_out_clips` together, uint8 `[count, 3, frames, size, size]`."""
    return torch.stack([clip for _, clip in held_out_clips(footage, count, frames, size, seed)])


def _row(shot: Shot) -> list[str | float]:
    return [str(shot.path), shot.start, shot.first, shot.stop]


def _shot(row: list) -> Shot:
    path, start, first, stop = row
    return Shot(Path(path), float(start), int(first), int(stop), np.empty((0, 0), np.float32))
