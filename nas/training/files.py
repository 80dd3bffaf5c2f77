"""The files of a design's folder, and where its training keeps its own.

DIR/config.json, model.safetensors    the design; the weights are replaced when a training ends
DIR/training.yaml                     the settings of its training
DIR/training/settings.yaml            the settings that it is trained with
DIR/training/checkpoint.safetensors   where the training stands
DIR/training/footage.json             the shots it trains on and those it holds out
DIR/training/metrics.csv              one row a step, TensorBoard's files beside it
DIR/training/frames/                  pictures of original, teacher and student
DIR/training/latents/                 clips with their latents, where they are kept on disk
DIR/training/warm_start.safetensors   the weights that it began with
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_space.errors import UserError

SETTINGS = "training.yaml"


@dataclass(frozen=True)
class TrainingFiles:
    """The paths of one training."""

    design: Path

    @property
    def settings(self) -> Path:
        return self.design / SETTINGS

    @property
    def used(self) -> Path:
        return self.folder / "settings.yaml"

    @property
    def folder(self) -> Path:
        return self.design / "training"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def footage(self) -> Path:
        return self.folder / "footage.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.csv"

    @property
    def frames(self) -> Path:
        return self.folder / "frames"

    @property
    def latents(self) -> Path:
        return self.folder / "latents"

    @property
    def warm_start(self) -> Path:
        return self.folder / "warm_start.safetensors"

    def create(self) -> None:
        """Makes the folders.

        Raises:
            UserError: they can't be made.
        """
        try:
            self.frames.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"'{self.folder}' can't be made: {error.strerror}") from None
