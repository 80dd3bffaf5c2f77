"""What a training writes down as it goes: one row a step in `metrics.csv`, and the same to TensorBoard."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor

from nas.aside import written_aside

LOSSES = ("loss", "l1", "lpips", "features", "generator", "adaptive_weight", "discriminator")
VALIDATION = ("psnr", "psnr_inside", "ssim", "temporal_psnr")
COLUMNS = ("step", *LOSSES, "gradient_norm", "learning_rate", "seconds", *VALIDATION)


class Records:
    """The open files of one training."""

    def __init__(self, metrics: Path, step: int) -> None:
        """Continues the files after `step` steps: rows that were written later are written anew."""
        rows: list[list[str]] = []
        if metrics.exists():
            with metrics.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if row and row[0].isdigit() and int(row[0]) <= step]
        with (
            written_aside(metrics) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows([COLUMNS, *rows])
        self._file = metrics.open("a", newline="", encoding="utf-8")
        self._rows = csv.DictWriter(self._file, COLUMNS)
        self._board: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(metrics.parent / "tensorboard"), purge_step=step + 1)

    @property
    def has_tensorboard(self) -> bool:
        return self._board is not None

    def add(self, step: int, values: dict[str, float]) -> None:
        """A row; columns that `values` lacks stay empty."""
        self._rows.writerow({"step": step} | {name: f"{value:.6g}" for name, value in values.items()})
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                group = "validation" if name in VALIDATION else "training"
                self._board.add_scalar(f"{group}/{name}", value, step)

    def show(self, step: int, picture: Tensor) -> None:
        """A picture uint8 `[3, H, W]` for TensorBoard."""
        if self._board is not None:
            self._board.add_image("frames", picture, step)
            self._board.flush()

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()
