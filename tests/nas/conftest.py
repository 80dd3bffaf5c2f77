"""A random Wan autoencoder, drawn footage, and a tiny design as `nas export` leaves it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from nas.initialisation import initialise
from search_space import DecoderConfig, Stage, build_decoder

CONFIG = DecoderConfig(
    latent_channels=16,
    stages=(
        Stage(16, 1, "dw3"),
        Stage(16, 0, "spatial"),
        Stage(16, 1, "spatial", "nearest"),
        Stage(16, 0, "spatial", "nearest", doubles_time=True),
        Stage(8, 0, "spatial", "nearest", doubles_time=True),
    ),
)

SETTINGS = """
seed: 0
steps: 6
batch: 1
accumulation: 2
precision: bf16
gradient_checkpointing: true
average: 0.9
data:
  frames: 5
  size: 32
  validation: 2
  validation_frames: 9
  surveyed_frames: 1024
  surveyed_files: 8
  latents: on_the_fly
  clips: null
  workers: 0
optimiser:
  learning_rate: 2.0e-3
  betas: [0.9, 0.95]
  eps: 1.0e-8
  weight_decay: 1.0e-4
  warm_up: 1
  final_rate: 1.0
  gradient_norm: 1.0
features:
  weight: 0.1
  blocks: [[mid_block, mid_block], [up_block_1, up_block_0]]
  relative: true
perceptual: {weight: 0.0, vgg16: null}
adversarial: {start: 2, weight: 0.05, learning_rate: 1.0e-3, width: 4, layers: 3}
validate_every: 1000
save_every: 1
"""


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


@pytest.fixture
def exported(tmp_path: Path, tiny_teacher: Path) -> Callable[..., Path]:
    """Makes a folder of that name as `nas export` does, the same at each call."""

    def make(name: str, config: DecoderConfig = CONFIG, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        config.save(folder / "config.json")
        torch.manual_seed(0)
        save_file(initialise(build_decoder(config)).state_dict(), folder / "model.safetensors")
        values = {"teacher": {"name": str(tiny_teacher)}} | yaml.safe_load(SETTINGS) | changes
        (folder / "training.yaml").write_text(yaml.safe_dump(values))
        return folder

    return make
