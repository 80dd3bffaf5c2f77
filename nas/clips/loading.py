"""From videos to the tensors that a search trains and validates on."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from torch import Tensor

from search_space.counting import plural
from search_space.errors import UserError

from .footage import UnusableVideoError, read_frames, sample_files, shrink, video_files
from .scenes import Shot, group_scenes, survey
from .split import split_scenes

# Clips are cut from frames at half to all of their resolution, and of no more than 720 pixels on the shorter
# side: a decoder meets whole frames on a phone, and frames shrunk to the size of a clip are far harder.
FULL_VIEW = 720
SMALLEST_VIEW = 0.5
FEWEST_SURVEYED = 1024  # frames
MOST_FILES = 256


@dataclass(frozen=True)
class Clips:
    """Clips of real video, uint8 RGB.

    Attributes:
        train: `[N, 3, T, size, size]`.
        validation: `[M, 3, T', size, size]`, of scenes that no training clip is of.
        sources: the files that clips were cut from.
        skipped: files that gave none, each with its reason.
        split: one sentence: how training and validation were told apart.
    """

    train: Tensor
    validation: Tensor
    sources: list[Path]
    skipped: list[tuple[Path, str]]
    split: str


@dataclass(frozen=True)
class Cutting:
    """One clip to be cut: when it begins, how far its frames are shrunk, and where in them it lies."""

    clip: np.ndarray  # uint8 [3, T, size, size], written to
    first: int
    view: float  # 0..1: from the smallest to the full view of the frame
    across: float  # 0..1: from the left or upper end to the other
    down: float


def load_clips(
    data: Path | str | None = None,
    *,
    frames: int = 9,
    size: int = 128,
    train: int = 256,
    validation: int = 8,
    validation_frames: int = 17,
    seed: int = 0,
) -> Clips:
    """Cut clips at random times, places and scales; the same arguments always give the same clips.

    Files are decoded twice, a frame at a time: once to find their scenes, once to cut. Of long files, and of
    many, only as many frames are looked at as the training clips hold, spread over all of their length; so
    memory holds little more than the clips.

    Args:
        data: a directory of videos, searched with its subdirectories; None for the `samples` extra's clips.
        frames: T of a training clip.
        size: height and width of a clip; videos with a shorter side below it are skipped.
        train: training clips.
        validation: validation clips.
        validation_frames: T' of a validation clip.
        seed: of everything random.

    Raises:
        UserError: a path that isn't there, no usable video (with the reasons), or too little footage.
    """
    files = sample_files() if data is None else video_files(Path(data))
    rng = np.random.default_rng(seed)
    source = "the sample clips" if data is None else str(data)
    shots, skipped = survey_all(
        files, source, frames, validation_frames, size, train * frames, MOST_FILES, rng
    )
    split = split_scenes(group_scenes(shots), frames, validation_frames, validation, source, rng)

    clips = np.zeros((train, 3, frames, size, size), np.uint8)
    held_out = np.zeros((validation, 3, validation_frames, size, size), np.uint8)
    cuttings: dict[tuple[Path, float], list[Cutting]] = defaultdict(list)
    # Training clips come from every shot as often as it is long; validation clips from every scene alike.
    everywhere = [shot for scene in split.train for shot in scene]
    for clip in clips:
        draw(clip, everywhere, cuttings, rng)
    for i, clip in enumerate(held_out):
        draw(clip, split.validation[i % len(split.validation)], cuttings, rng)
    for (path, start), here in cuttings.items():
        cut(path, start, here, size)

    sources = sorted({path for path, _ in cuttings})
    return Clips(torch.from_numpy(clips), torch.from_numpy(held_out), sources, skipped, split.description)


def survey_all(
    files: list[Path],
    source: str,
    frames: int,
    validation_frames: int,
    size: int,
    budget: int,
    most: int,
    rng: np.random.Generator,
) -> tuple[list[Shot], list[tuple[Path, str]]]:
    """The shots of as many files, chosen at random, as `budget` frames allow a useful stretch of each.

    Args:
        files: to choose from.
        source: what they are, named in errors.
        frames: of a training clip; files with no shot as long are skipped.
        validation_frames: of a validation clip.
        size: files with a shorter side below it are skipped, px.
        budget: frames to look at in all.
        most: files to take.
        rng: chooses them.

    Returns:
        The shots, and the files skipped with their reasons.

    Raises:
        UserError: no file is usable.
    """
    budget = max(budget, FEWEST_SURVEYED)
    stretch = 2 * max(frames, validation_frames)
    most = min(most, budget // stretch)
    each = max(stretch, budget // len(files))
    shots: list[Shot] = []
    skipped: list[tuple[Path, str]] = []
    usable = 0
    order: Iterable[int] = range(len(files)) if len(files) <= most else rng.permutation(len(files))
    for i in order:
        try:
            found = survey(files[i], each, stretch, size)
            longest = max(shot.frames for shot in found)
            if longest < frames:
                raise UnusableVideoError(
                    f"is too short: {plural(longest, 'frame')} without a cut, not {frames}"
                )
        except UnusableVideoError as error:
            skipped.append((files[i], str(error)))
            continue
        shots += found
        usable += 1
        if usable == most:
            break
    if not shots:
        reasons = "; ".join(f"{path.name} {reason}" for path, reason in skipped[:3])
        more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        raise UserError(f"{source}: no usable video ({reasons}{more})")
    return shots, skipped


def draw(
    clip: np.ndarray,
    shots: list[Shot],
    cuttings: dict[tuple[Path, float], list[Cutting]],
    rng: np.random.Generator,
) -> None:
    """Choose where in `shots` to cut `clip` from."""
    starts = np.array([shot.frames - clip.shape[1] + 1 for shot in shots])
    shot = shots[rng.choice(len(shots), p=starts / starts.sum())]
    first = shot.first + int(rng.integers(shot.frames - clip.shape[1] + 1))
    cuttings[shot.path, shot.start].append(Cutting(clip, first, *rng.random(3)))


def cut(path: Path, start: float, cuttings: list[Cutting], size: int) -> None:
    """Decode a stretch of a file once and fill every clip that is cut from it."""
    reformatters = [VideoReformatter() for _ in cuttings]  # each keeps the tables of one scale
    stop = max(cutting.first + cutting.clip.shape[1] for cutting in cuttings)
    for i, frame in enumerate(read_frames(path, start, stop)):
        for cutting, reformatter in zip(cuttings, reformatters, strict=True):
            if 0 <= i - cutting.first < cutting.clip.shape[1]:
                full = min(FULL_VIEW, frame.height, frame.width)
                smallest = max(size, SMALLEST_VIEW * full)
                picture = shrink(frame, round(smallest + cutting.view * (full - smallest)), reformatter)
                top = round(cutting.down * (picture.shape[0] - size))
                left = round(cutting.across * (picture.shape[1] - size))
                crop = picture[top : top + size, left : left + size]
                cutting.clip[:, i - cutting.first] = crop.transpose(2, 0, 1)
