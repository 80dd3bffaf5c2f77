"""What a full training is done with: the sections of `training.yaml`.

`nas export` writes the file beside the design, `nas train` reads it. `presets/published.yaml` is the
published recipe (Turbo-VAED, Zou et al., arXiv 2508.09136, and its `train.sh`), `presets/cpu.yaml` a short
one without the networks that LPIPS needs. A preset holds everything but the teacher, which the design's own
file names.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from nas.settings_file import read_settings, validated

_PRESETS = resources.files("nas.training") / "presets"
_WHAT = "training settings"
_Share = Annotated[float, Field(ge=0, lt=1)]
_Weight = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TeacherSettings(_Section):
    """Whose latents are decoded: what `nas search --teacher NAME --weights WEIGHTS` took."""

    name: str
    weights: str = "auto"


class DataSettings(_Section):
    """Clips: how they are cut, and where their latents come from."""

    frames: PositiveInt  # of a training clip; cut to the nearest length that the teacher round-trips
    size: PositiveInt  # height and width of every clip, px
    validation: PositiveInt  # clips, of scenes that no training clip shares
    validation_frames: PositiveInt  # long enough to have an inside, away from the first and last frames
    surveyed_frames: PositiveInt  # looked at to find scenes, spread over all of the footage
    surveyed_files: PositiveInt  # at most, chosen at random
    # "on_the_fly" encodes new clips for ever; "on_disk" encodes `clips` of them once, before training.
    latents: Literal["on_the_fly", "on_disk"]
    clips: PositiveInt | None  # kept on disk; null where latents are made on the fly
    workers: Annotated[int, Field(ge=0)]  # processes that decode videos, for each that trains

    @model_validator(mode="after")
    def _clips_are_for_the_disk(self) -> DataSettings:
        if (self.latents == "on_disk") != (self.clips is not None):
            raise ValueError("clips is how many latents are kept on_disk, and null where they are on_the_fly")
        return self


class OptimiserSettings(_Section):
    """AdamW. The rate rises linearly, then falls by half a cosine to `final_rate` of its highest."""

    learning_rate: PositiveFloat
    betas: tuple[_Share, _Share]
    eps: PositiveFloat
    weight_decay: _Weight
    warm_up: Annotated[int, Field(ge=0)]  # steps
    final_rate: Annotated[float, Field(ge=0, le=1)]  # share of the learning rate; 1 keeps it constant
    gradient_norm: PositiveFloat  # gradients are scaled down to it


class FeatureSettings(_Section):
    """Feature distillation: mean squared error between block features, the student's through a head."""

    weight: _Weight
    blocks: tuple[tuple[str, str], ...]  # pairs (student's block, teacher's block)
    relative: bool  # divided by the mean square of the teacher's feature, so that a weight serves any teacher


class PerceptualSettings(_Section):
    """LPIPS with VGG16 (Zhang et al., CVPR 2018)."""

    weight: _Weight  # 0 leaves it out, and needs no weights
    vgg16: str | None  # a file with VGG16's weights; null: torch's cache


class AdversarialSettings(_Section):
    """The second phase: a 3D patch GAN with hinge losses, at an adaptive weight (Esser et al., CVPR 2021)."""

    start: Annotated[int, Field(ge=0)]  # the step after which it begins
    weight: PositiveFloat  # times the adaptive one
    learning_rate: PositiveFloat
    width: PositiveInt  # channels of the discriminator's first layer
    layers: PositiveInt  # that halve height and width


class FullTrainingSettings(_Section):
    """A training from an exported design to a finished decoder."""

    teacher: TeacherSettings
    seed: Annotated[int, Field(ge=0)]
    steps: PositiveInt  # of the optimiser
    batch: PositiveInt  # clips that a process sees at once
    accumulation: PositiveInt  # batches that a process sees in a step
    precision: Literal["bf16", "fp32"]  # bf16 is for GPUs: a CPU computes in fp32
    gradient_checkpointing: bool  # blocks are computed again in the backward pass instead of kept
    average: _Share  # decay of the weights' exponential moving average
    data: DataSettings
    optimiser: OptimiserSettings
    features: FeatureSettings
    perceptual: PerceptualSettings
    adversarial: AdversarialSettings | None  # null: one phase only
    validate_every: PositiveInt  # steps
    save_every: PositiveInt  # steps

    def to_yaml(self) -> str:
        """As `load_training` reads it."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, width=110)


def load_training(name: str | Path, teacher: TeacherSettings | None = None) -> FullTrainingSettings:
    """Reads a shipped preset by name, or a YAML file by path.

    Args:
        name: of the preset or file.
        teacher: the one to take where the file names none.

    Raises:
        UserError: there is no such preset or file, or a key or value in it is wrong (it is named).
    """
    values = _read(name)
    if teacher is not None:
        values = {"teacher": teacher.model_dump()} | values
    return validated(FullTrainingSettings, values, _WHAT, name, whole="teacher")


def load_teacher_settings(path: Path) -> TeacherSettings | None:
    """The teacher that a design's `training.yaml` names; None where there is no such file.

    Raises:
        UserError: the file can't be read, or names no teacher.
    """
    if not path.exists():
        return None
    return validated(TeacherSettings, _read(path).get("teacher"), _WHAT, path, whole="teacher")


def _read(name: str | Path) -> dict[str, Any]:
    return read_settings(_WHAT, name, _PRESETS, "keys and values")
