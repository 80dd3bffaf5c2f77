"""One training, in a worker: from a design to a quality and the files that show it."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from nas.allocator import keep_freed_memory
from nas.distil import Distilled, Stopped, distil
from nas.frames import side_by_side
from nas.learning_curve import Points
from nas.material import middle_frames
from nas.material_file import load_material
from nas.quality import to_unit
from nas.settings import ProxySettings
from nas.workers.protocol import Outcome, Progress, Task
from search_space import DecoderConfig


@dataclass(frozen=True)
class Job:
    """What the trainings of one search have in common: sent once to every worker.

    Attributes:
        material: the file of clips, latents and features (`nas.material_file`).
        proxy: how designs are narrowed; None where they are trained at full width.
        teacher: its name.
        weights: kind and description of its weights.
    """

    material: Path
    proxy: ProxySettings | None
    teacher: str
    weights: dict[str, Any]

    def trained(self, config: DecoderConfig) -> DecoderConfig:
        """What is trained for a design: itself, or its narrowed proxy."""
        return config.narrowed(self.proxy.width_factor, self.proxy.minimum_width) if self.proxy else config


class Trainer:
    """Trains one design after the other from material that it loads once."""

    def __init__(self, job: Job) -> None:
        """Sets this process up: on the GPU that it sees, or else with one thread."""
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if device.type == "cpu":
            keep_freed_memory()
            torch.set_num_threads(1)
        self.job = job
        self.material = load_material(job.material, device)

    def train(self, task: Task, on_progress: Callable[[Progress], None]) -> Outcome:
        """Distils a design.

        Args:
            task: the design, the seed and the settings.
            on_progress: called after each step.

        Raises:
            DistillationError: the training came to no result.
        """
        config = DecoderConfig.from_dict(dict(task.config))
        trained = self.job.trained(config)
        began = time.perf_counter()
        curve: Points = []

        def report(step: int) -> None:
            on_progress(Progress(task.number, step, tuple(curve), time.perf_counter() - began))

        try:
            distilled = distil(
                trained,
                self.material,
                task.training,
                seed=task.seed,
                stop_below=task.stop_below,
                on_step=report,
                on_point=lambda points: curve.append(points[-1]),
            )
        finally:
            if self.material.device.type == "cuda":
                torch.cuda.empty_cache()  # so that a design that ran out of memory leaves none behind
        record = {
            "outcome": "trained",
            "worker": f"{socket.gethostname()}:{os.getpid()}",
            "curve": [list(point) for point in distilled.curve],
            "seconds": distilled.seconds,
        }
        files = {"config.json": _json(config.to_dict()), "curve.csv": _curve(distilled.curve)}
        if isinstance(distilled, Stopped):
            step, psnr = distilled.curve[-1]
            stopped = {"step": step, "psnr": psnr, "seconds_left": distilled.seconds_left}
            return Outcome(record | {"outcome": "stopped", "stopped": stopped}, files)
        record["metrics"] = distilled.metrics
        return Outcome(record, files | self._results(task, trained, distilled, record))

    def _results(
        self, task: Task, trained: DecoderConfig, distilled: Distilled, record: dict[str, Any]
    ) -> dict[str, bytes]:
        """The files that only a whole training has."""
        shown = {
            "trial": task.number,
            "seed": task.seed,
            "teacher": self.job.teacher,
            "weights": self.job.weights,
            "teacher_psnr": self.material.teacher_psnr,
            "trained": trained.to_dict(),
            "feature_blocks": distilled.feature_blocks,
        }
        columns = {
            "original": middle_frames(to_unit(self.material.validation_clips)),
            "teacher": self.material.teacher_frames,
            "student": distilled.frames,
        }
        picture = io.BytesIO()
        side_by_side(columns, self._legend(task.number, distilled.metrics["psnr"])).save(picture, "png")
        return {
            "weights.safetensors": save(distilled.state),
            "metrics.json": _json(shown | record),
            "frames.png": picture.getvalue(),
        }

    def _legend(self, number: int, psnr: float) -> list[str]:
        width = "narrowed proxy" if self.job.proxy else "full width"
        return [
            f"trial {number}, {width}: PSNR {psnr:.2f} dB, the teacher's {self.material.teacher_psnr:.2f} dB",
            f"teacher {self.job.teacher}: {self.job.weights['description']}",
        ]


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()


def _curve(curve: Points) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("step", "psnr"), *curve])
    return text.getvalue().encode()
