"""One candidate, from its configuration to a quality and the files that show it."""

from __future__ import annotations

import csv
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safetensors.torch import save_file

from nas.candidates import Pricer
from nas.distil import Distilled, distil
from nas.frames import side_by_side
from nas.material import Material, middle_frames
from nas.quality import to_unit
from nas.run_directory import RunDirectory
from nas.settings import Settings
from nas.study import Record
from nas.training_step import EAGER_STEPS
from search_space import DecoderConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """What the trainings of one search have in common."""

    material: Material
    settings: Settings
    seed: int
    run: RunDirectory
    teacher: str
    weights: dict[str, Any]
    price: Pricer

    def trained_config(self, config: DecoderConfig) -> DecoderConfig:
        """What is trained for a design: itself, or its narrowed proxy."""
        proxy = self.settings.proxy
        return config.narrowed(proxy.width_factor, proxy.minimum_width) if proxy else config

    def train(self, number: int, config: DecoderConfig, on_step: Callable[[int], None]) -> Record:
        """Distils a design and writes the trial's folder.

        Args:
            number: of the trial.
            config: the full design.
            on_step: called with the number of steps done.

        Returns:
            What the trial's record gains: proxy, metrics, curve and seconds.

        Raises:
            DistillationError: the training came to no result.
        """
        trained = self.trained_config(config)
        costs = self.price(trained)
        distilled = distil(trained, self.material, self.settings.training, seed=self.seed, on_step=on_step)
        gained = {
            "proxy": {"params": costs["params"], "flops": costs["flops"]},
            "metrics": distilled.metrics,
            "curve": [list(point) for point in distilled.curve],
            "seconds": distilled.seconds,
        }
        self._write(number, config, trained, distilled, gained)
        return gained

    def expected_seconds(self, config: DecoderConfig) -> float | None:
        """What training a design may take, measured on a few steps of it; None where those fail.

        Its trial will fail too, with the reason; the search goes on without it.
        """
        settings = self.settings.training
        few = settings.model_copy(update={"steps": EAGER_STEPS + 4, "curve_points": 1})
        times: list[float] = []
        try:
            seconds = distil(
                self.trained_config(config),
                self.material,
                few,
                seed=self.seed,
                on_step=lambda step: times.append(time.perf_counter()),
            ).seconds
        except Exception:
            logger.exception("a few steps of %s failed", config.hash)
            return None
        step = (times[-2] - times[-4]) / 2  # the first are slower than the rest; the last measures the curve
        curve = settings.curve_points * settings.curve_clips / len(self.material.validation_clips)
        return seconds["build"] + step * settings.steps + seconds["validate"] * (1 + curve)

    def _write(
        self,
        number: int,
        config: DecoderConfig,
        trained: DecoderConfig,
        distilled: Distilled,
        gained: Record,
    ) -> None:
        started = time.perf_counter()
        with self.run.writing_trial(number) as folder:
            config.save(folder / "config.json")
            save_file(distilled.state, folder / "weights.safetensors")
            with (folder / "curve.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("step", "psnr"), *distilled.curve])
            shown = {
                "trial": number,
                "teacher": self.teacher,
                "weights": self.weights,
                "teacher_psnr": self.material.teacher_psnr,
                "trained": trained.to_dict(),
                "feature_blocks": distilled.feature_blocks,
            }
            metrics = json.dumps(shown | gained, indent=2)
            (folder / "metrics.json").write_text(metrics + "\n", encoding="utf-8")
            truth = middle_frames(to_unit(self.material.validation_clips))
            legend = self._legend(number, distilled.metrics["psnr"])
            columns = {"original": truth, "teacher": self.material.teacher_frames}
            picture = side_by_side(columns | {"student": distilled.frames}, legend)
            picture.save(folder / "frames.png")
        gained["seconds"]["write"] = time.perf_counter() - started

    def _legend(self, number: int, psnr: float) -> list[str]:
        width = "narrowed proxy" if self.settings.proxy else "full width"
        return [
            f"trial {number}, {width}: PSNR {psnr:.2f} dB, the teacher's {self.material.teacher_psnr:.2f} dB",
            f"teacher {self.teacher}: {self.weights['description']}",
        ]
