"""Real video files, written where a test wants them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest


@pytest.fixture
def write_video() -> Callable[..., Path]:
    """Writes uint8 RGB frames `[H, W, 3]` to a file whose suffix names the container."""

    def write(
        path: Path,
        frames: Iterable[np.ndarray],
        codec: str = "libx264",
        pixels: str = "yuv420p",
        rotation: int = 0,
        rate: int = 25,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.pix_fmt = pixels
            stream.gop_size = 50
            for i, picture in enumerate(frames):
                if i == 0:
                    stream.height, stream.width = picture.shape[:2]
                    if rotation:
                        stream.set_display_rotation(rotation)
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    return write


@pytest.fixture
def scene() -> Callable[..., list[np.ndarray]]:
    """Frames of one colour with a lighter square that moves."""

    def frames(
        count: int, colour: tuple[int, int, int], height: int = 72, width: int = 96
    ) -> list[np.ndarray]:
        pictures = []
        for i in range(count):
            picture = np.full((height, width, 3), colour, np.uint8)
            left = i % (width - 16)
            picture[20:36, left : left + 16] = np.minimum(255, np.array(colour) + 40)
            pictures.append(picture)
        return pictures

    return frames
