"""The clips of a published protocol: the first frames of every file, its middle, at one size."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from torch import Tensor

from search_space.counting import plural

from .footage import UnusableVideoError, read_frames


def first_frames(path: Path, frames: int, size: int) -> Tensor:
    """As UCF-101 is commonly measured: the first frames, shorter side scaled to `size`, the middle cut out.

    Returns:
        uint8 `[3, frames, size, size]`.

    Raises:
        UnusableVideoError: the file isn't readable, or too short.
    """
    reformatter = VideoReformatter()
    pictures = []
    try:
        for frame in read_frames(path, 0.0, frames):
            scale = size / min(frame.height, frame.width)
            height, width = (max(size, int(side * scale)) for side in (frame.height, frame.width))
            scaled = reformatter.reformat(frame, width, height, "rgb24", interpolation="BILINEAR")
            picture = np.rot90(scaled.to_ndarray(), frame.rotation // 90)
            top, left = ((side - size) // 2 for side in picture.shape[:2])
            pictures.append(picture[top : top + size, left : left + size])
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnusableVideoError(f"is not readable as video ({error})") from error
    if len(pictures) < frames:
        raise UnusableVideoError(f"has {plural(len(pictures), 'frame')}, not {frames}")
    return torch.from_numpy(np.stack(pictures).transpose(3, 0, 1, 2).copy())
