"""Where a video cuts, and which shots show the same scene.

Both are judged by looks: a frame shrunk to 16x16. What must never happen is one scene taken for two, since
training and validation would share it; so every doubt makes one scene of two shots.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

from .footage import UnusableVideoError, read_frames, seconds_and_rate

# Mean absolute differences of looks, in 0..1. In the three sample clips, cuts change 0.16 or more and no
# other pair of neighbours over 0.07; shots of different scenes are 0.11 or more apart, and a copy of a clip
# at an eightieth of its rate 0.02 from it.
CUT = 0.1
CUT_OVER_MOTION = 3.0  # a cut also stands out by this factor from the changes around it
NEIGHBOURS = 8  # frames on either side
SAME_SCENE = 0.05
SECONDS_BETWEEN_KEY_FRAMES = 10  # as encoders commonly set them; one can seek to no other frame
LOOKS_PER_SHOT = 4
SIDE = 16


@dataclass(frozen=True, eq=False)
class Shot:
    """Consecutive frames of a file: `first` to `stop - 1`, counted as `read_frames(path, start)` does.

    Attributes:
        looks: `[4, 768]` in 0..1, evenly spaced in the shot, its first and last frame among them.
        follows: nothing is known of the time between this shot and the one surveyed before it.
    """

    path: Path
    start: float
    first: int
    stop: int
    looks: np.ndarray
    follows: bool = False

    @property
    def frames(self) -> int:
        return self.stop - self.first


def survey(path: Path, frames: int, stretch: int, smallest: int) -> list[Shot]:
    """The shots among about `frames` frames of a file.

    A longer file is looked at in stretches of `stretch` frames or more, evenly spaced over its length; of one
    that doesn't tell its length, only the beginning is.

    Raises:
        UnusableVideoError: the file isn't readable, has no frames or is smaller than `smallest` pixels.
    """
    try:
        if path.stat().st_size == 0:
            raise UnusableVideoError("is empty")
        starts = [0.0]
        length = seconds_and_rate(path)
        if length is not None and length[0] * length[1] > frames:
            count = max(1, min(frames // stretch, int(length[0] / SECONDS_BETWEEN_KEY_FRAMES)))
            starts = [length[0] * i / count for i in range(count)]
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnusableVideoError(f"is not readable as video ({_plain(error)})") from error

    shots: list[Shot] = []
    surveyed_until = -1.0
    for start in starts:
        looks, surveyed_until = _looks(path, start, frames // len(starts), surveyed_until, smallest)
        for first, stop in pairwise([0, *find_cuts(looks), len(looks)] if len(looks) else []):
            sampled = looks[np.linspace(first, stop - 1, LOOKS_PER_SHOT).round().astype(int)]
            shots.append(Shot(path, start, first, stop, sampled, follows=first == 0 and bool(shots)))
    if not shots:
        raise UnusableVideoError("has no frames that can be decoded")
    return shots


def _looks(path: Path, start: float, stop: int, after: float, smallest: int) -> tuple[np.ndarray, float]:
    """Looks `[T, 768]` of a stretch, and when its last frame is; no looks if it begins before `after`."""
    looks: list[np.ndarray] = []
    reformatter = VideoReformatter()
    try:
        for frame in read_frames(path, start, stop):
            if min(frame.height, frame.width) < smallest:
                raise UnusableVideoError(
                    f"is {frame.width}x{frame.height}, smaller than {smallest}x{smallest}"
                )
            time = frame.time
            if start > 0 and not looks and (time is None or time <= after):
                break
            small = reformatter.reformat(frame, SIDE, SIDE, "rgb24", interpolation="AREA").to_ndarray()
            looks.append(small.reshape(-1) / np.float32(255))
            after = after if time is None else max(after, time)
    except (av.FFmpegError, OSError, ValueError) as error:
        if not looks and start == 0:
            raise UnusableVideoError(f"is not readable as video ({_plain(error)})") from error
        # The file is damaged further on, or can't be sought in: what came before is good.
    return np.array(looks, dtype=np.float32).reshape(-1, SIDE * SIDE * 3), after


def find_cuts(looks: np.ndarray) -> list[int]:
    """The frames that begin a new shot, of looks `[T, F]`."""
    changes = np.abs(np.diff(looks, axis=0)).mean(axis=1)
    cuts = []
    for i in np.flatnonzero(changes > CUT):
        around = np.concatenate([changes[max(0, i - NEIGHBOURS) : i], changes[i + 1 : i + 1 + NEIGHBOURS]])
        if around.size == 0 or changes[i] > CUT_OVER_MOTION * np.median(around):
            cuts.append(int(i) + 1)
    return cuts


def group_scenes(shots: list[Shot]) -> list[list[Shot]]:
    """The shots by scene; scenes, and shots in a scene, in their first order.

    Shots are of one scene where any two of their looks are nearly equal, whether a camera comes back to it or
    two files show the same, and where one follows the other after a time that wasn't surveyed.
    """
    looks = torch.from_numpy(np.concatenate([shot.looks for shot in shots]))
    apart = torch.cdist(looks, looks, p=1) / looks.shape[1]
    apart = apart.view(len(shots), LOOKS_PER_SHOT, len(shots), LOOKS_PER_SHOT).amin(dim=(1, 3))
    pairs = (apart < SAME_SCENE).nonzero().tolist() + [
        (i - 1, i) for i, shot in enumerate(shots) if shot.follows
    ]

    scene = list(range(len(shots)))  # the number of each shot's scene
    for a, b in pairs:
        if scene[a] != scene[b]:
            old, new = max(scene[a], scene[b]), min(scene[a], scene[b])
            scene = [new if number == old else number for number in scene]
    return [
        [shot for shot, number in zip(shots, scene, strict=True) if number == one]
        for one in sorted(set(scene))
    ]


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
