"""Which footage is trained on and which is validated on: never the same scene."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

import numpy as np

from search_space.counting import plural
from search_space.errors import UserError

from .scenes import Shot

HELD_OUT = 0.2  # of the scenes, and of the frames


@dataclass(frozen=True)
class Split:
    """Shots to take clips from, by scene; `description` is one sentence for people."""

    train: list[list[Shot]]
    validation: list[list[Shot]]
    description: str


def split_scenes(
    scenes: list[list[Shot]],
    frames: int,
    validation_frames: int,
    most: int,
    source: str,
    rng: np.random.Generator,
) -> Split:
    """Hold out about a fifth of the scenes, and of the footage, for validation.

    Where that would take more than half of the footage, as it must of a single scene, or leave nothing to
    train on, that scene is split in time instead, with a gap between, and the description says so.

    Args:
        scenes: all there are; shots too short for a clip are left out here.
        frames: of a training clip.
        validation_frames: of a validation clip.
        most: scenes to hold out.
        source: what the footage is, named in errors.
        rng: chooses the scenes.

    Raises:
        UserError: there isn't enough footage for one clip of each.
    """
    candidates = [i for i, scene in enumerate(scenes) if _long_enough(scene, validation_frames)]
    if not candidates:
        longest = max(shot.frames for scene in scenes for shot in scene)
        raise UserError(
            f"{source}: the longest shot has {plural(longest, 'frame')} and a validation clip "
            f"{validation_frames}; give more footage"
        )
    footage = sum(map(_frames, scenes))
    wanted = min(most, max(1, round(HELD_OUT * len(scenes))))
    held: list[int] = []
    for i in rng.permutation(candidates).tolist():
        if len(held) < wanted and sum(_frames(scenes[j]) for j in [*held, i]) <= HELD_OUT * footage:
            held.append(i)
    held = held or [min(candidates, key=lambda i: _frames(scenes[i]))]
    apart = [i for i in range(len(scenes)) if i not in held]
    if not any(_long_enough(scenes[i], frames) for i in apart):
        held, apart = held[:1], apart + held[1:]
    train = [long for i in apart if (long := _long_enough(scenes[i], frames))]
    if not train or sum(_frames(scenes[i]) for i in held) > footage / 2:
        return _split_in_time(scenes[held[0]], train, frames, validation_frames, source)
    return Split(
        train,
        [_long_enough(scenes[i], validation_frames) for i in held],
        f"{plural(len(train), 'scene')} to train on, {len(held)} others to validate on",
    )


def _split_in_time(
    scene: list[Shot], others: list[list[Shot]], frames: int, validation_frames: int, source: str
) -> Split:
    """The end of a scene to validate on; what lies before, less a gap, and the `others` to train on.

    Of the files that show the scene, the longest one's end is validated on. The others may be copies of it:
    of each, the same share is left out of training.
    """
    files = {path: [shot for shot in scene if shot.path == path] for path in {shot.path for shot in scene}}
    long = (path for path in sorted(files) if _long_enough(files[path], validation_frames))
    longest = max(long, key=lambda path: _frames(files[path]))
    last = max(i for i, shot in enumerate(files[longest]) if shot.frames >= validation_frames)
    shot, until = files[longest][last], files[longest][: last + 1]
    footage = _frames(until)
    held = min(shot.frames, max(validation_frames, round(HELD_OUT * footage)))
    gap = max(1, min(frames, footage - held - (0 if others else frames)))
    files[longest] = until
    beginnings = [
        kept
        for shots in (files[path] for path in sorted(files))
        for kept in _without_end(shots, ceil(Fraction(held + gap, footage) * _frames(shots)))
    ]
    beginning = _long_enough(beginnings, frames)
    train = [*others, beginning] if beginning else others
    if not train:
        raise UserError(
            f"{source}: one usable scene only, of {plural(footage, 'frame')}; {frames} to train on, a gap "
            f"and {validation_frames} to validate on don't fit; give more footage"
        )
    description = (
        f"too few scenes to hold one out: validation is on the end of one, {plural(gap, 'frame')} after the "
        "part trained on, so it says little of other scenes"
        if beginning
        else f"{plural(len(others), 'scene')} to train on, the end of another to validate on"
    )
    return Split(train, [[replace(shot, first=shot.stop - held)]], description)


def _without_end(shots: list[Shot], frames: int) -> list[Shot]:
    """The shots less the last `frames` frames of all."""
    kept = list(shots)
    while kept and frames > 0:
        shot = kept.pop()
        if shot.frames > frames:
            kept.append(replace(shot, stop=shot.stop - frames))
        frames -= shot.frames
    return kept


def _long_enough(shots: list[Shot], frames: int) -> list[Shot]:
    return [shot for shot in shots if shot.frames >= frames]


def _frames(scene: list[Shot]) -> int:
    return sum(shot.frames for shot in scene)
