"""A random Wan autoencoder and drawn footage."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a random `AutoencoderKLWan`."""
    import diffusers

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("teachers") / "tiny-wan"
    diffusers.AutoencoderKLWan(base_dim=8, num_res_blocks=1).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two videos, each one scene: a square that moves over a shaded ground."""
    folder = tmp_path_factory.mktemp("footage")
    for colour in ((40, 80, 160), (170, 60, 30)):
        with av.open(str(folder / f"{colour[0]}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.pix_fmt, stream.height, stream.width = "bgr0", 48, 64
            shade = np.linspace(0.5, 1.0, 64)[None, :, None]
            for i in range(30):
                picture = (np.full((48, 64, 3), colour) * shade).astype(np.uint8)
                picture[8:24, i : i + 12] = 220
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
    return folder
