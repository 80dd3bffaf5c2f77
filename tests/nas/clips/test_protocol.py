"""The clips of a published protocol."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nas.clips.footage import UnusableVideoError
from nas.clips.protocol import first_frames


def test_the_first_frames_scaled_and_cut_from_the_middle(tmp_path: Path, write_video) -> None:
    frames = []
    for shade in range(20):
        picture = np.zeros((48, 80, 3), np.uint8)
        picture[:, 16:64] = 10 * shade  # the middle square
        frames.append(picture)
    path = write_video(tmp_path / "a.mkv", frames, "ffv1", "bgr0")
    clip = first_frames(path, 17, 64)
    assert clip.shape == (3, 17, 64, 64)
    assert clip[:, :, 32, 32].tolist() == [[10 * shade for shade in range(17)]] * 3
    assert (clip[:, 5, :, 2:-2] == 50).all()
    with pytest.raises(UnusableVideoError, match="has 20 frames, not 21"):
        first_frames(path, 21, 64)
    assert clip.dtype == torch.uint8
