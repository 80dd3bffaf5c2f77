"""A search in small: a space of tiny designs, few steps."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from nas.definition import Definition
from nas.material import Material
from nas.objectives import parse_objectives
from nas.trial import Job, Trainer
from nas.workers import Outcome, Progress, Task, training_error

SPACE = """
teacher: tiny
latent_channels: 16
compression: [4, 8, 8]
patch_size: [1, 2]
time_doubling: [late]
time_padding: [symmetric]
mid: {blocks: [0, 1], conv: [spatial, dw3]}
up0: {width: [16, 24], blocks: [0], conv: [spatial]}
up1: {width: [16], blocks: [0, 1], conv: [spatial], upsampler: [nearest]}
up2: {width: [16, 24], blocks: [0], conv: [spatial], upsampler: [nearest]}
up3: {width: [8, 16], blocks: [0, 1], conv: [spatial], upsampler: [nearest]}
"""

SETTINGS = """
clips: {frames: 5, size: 32, train: 6, validation: 2, validation_frames: 9}
proxy: {width_factor: 0.5, minimum_width: 4}
training:
  steps: 4
  batch: 2
  window: 16
  learning_rate: 1.0e-3
  schedule: constant
  warm_up: 1
  weight_decay: 1.0e-4
  gradient_norm: 1.0
  feature_weight: 0.1
  curve_points: 2
  curve_clips: 1
"""


@pytest.fixture
def small_space() -> str:
    """The text of a space file."""
    return SPACE


@pytest.fixture
def small_settings() -> str:
    """The text of a settings file."""
    return SETTINGS


@pytest.fixture
def in_small(
    tiny_teacher: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Arguments of a small `nas search`, which runs in an empty folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "settings.yaml").write_text(SETTINGS)

    def arguments(*more: str) -> list[str]:
        given = ["search", "--teacher", str(tiny_teacher), "--data", str(footage)]
        given += ["--space", "space.yaml", "--settings", "settings.yaml"]
        return [*given, "--resolution", "64x64", "--frames", "5", *more]

    return arguments


@pytest.fixture
def material() -> Material:
    """Clips `[6, 3, 5, 32, 32]` of smooth colour, whose latents hold that colour `[6, 16, 2, 4, 4]`."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(8, 3, 2, 4, 4, generator=generator)
    clips = torch.nn.functional.interpolate(colours, size=(5, 32, 32), mode="trilinear", align_corners=True)
    pixels = clips.mul(255).to(torch.uint8)
    latents = torch.cat([colours, torch.zeros(8, 13, 2, 4, 4)], dim=1).mul(2).sub(1)
    return Material(
        clips=pixels[:6],
        latents=latents[:6],
        features=latents[:6, :7].clone(),
        feature_block="mid_block",
        validation_clips=pixels[6:],
        validation_latents=latents[6:],
        teacher_psnr=40.0,
        teacher_frames=pixels[6:, :, 2],
    )


class ThreadWorkers:
    """One worker in a thread of this process: real trainings, without the seconds that a process takes."""

    size = 1

    def __init__(self, job: Job) -> None:
        self.trainer = Trainer(job)
        self.thread = ThreadPoolExecutor(1)

    def submit(self, task: Task, on_progress: Callable[[Progress], None]) -> Future[Outcome]:
        return self.thread.submit(self._train, task, on_progress)

    def _train(self, task: Task, on_progress: Callable[[Progress], None]) -> Outcome:
        try:
            return self.trainer.train(task, on_progress)
        except Exception as error:
            raise training_error(error) from None

    def close(self) -> None:
        self.thread.shutdown()


@pytest.fixture
def definition() -> Definition:
    """Of a study of tiny designs; `dataclasses.replace` makes it that of a test."""
    return Definition(
        teacher="tiny",
        weights={"kind": "path", "description": "weights from nowhere"},
        footage="",
        device="iphone-16-pro",
        device_digest="",
        resolution=(64, 64),
        frames=5,
        memory=None,
        preset="small",
        settings={},
        seed=0,
        objectives=parse_objectives("psnr,latency_ms"),
        constraints=(),
        space={},
    )


@pytest.fixture
def thread_workers() -> type[ThreadWorkers]:
    """Makes a worker of a job."""
    return ThreadWorkers


@pytest.fixture
def worker_processes() -> Callable[[int], set[int]]:
    """Finds the worker processes of a process, both given by number."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("processes are found in /proc")

    def find(parent: int) -> set[int]:
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                state, above = (process / "stat").read_text().rpartition(")")[2].split()[:2]
                ours = b"nas.workers" in (process / "cmdline").read_bytes()
            except OSError:
                continue  # it is gone by now
            if ours and int(above) == parent and state != "Z":
                found.add(int(process.name))
        return found

    return find
