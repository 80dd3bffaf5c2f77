"""What a search distils with: clips, the proxy that stands for a design, and the training of one trial.

Settings are rarely changed, so they live in YAML instead of in flags: `nas/presets/` ships one file for a GPU
and one for a CPU, `nas search --settings FILE` reads another, and every run writes them beside its results.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from nas.settings_file import preset_names, read_settings, validated

_PRESETS = resources.files("nas") / "presets"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClipSettings(_Section):
    """Footage: how much of it, and how it is cut."""

    frames: PositiveInt  # of a training clip; cut to the nearest length that the teacher round-trips
    size: PositiveInt  # height and width of every clip, px
    train: PositiveInt  # clips
    validation: PositiveInt  # clips, of scenes that no training clip shares
    validation_frames: PositiveInt  # long enough to have an inside, away from the first and last frames


class ProxySettings(_Section):
    """The narrowed design that is trained where a full one would take too long."""

    width_factor: Annotated[float, Field(gt=0, lt=1)]
    minimum_width: PositiveInt  # channels


class TrainingSettings(_Section):
    """One distillation run by AdamW, the same steps for every design.

    After the warm-up the learning rate follows the schedule. "cosine" lets it fall to zero, and the last
    weights are measured. "constant" keeps it, and an average of the weights is measured (`nas.averaging`): at
    any step what a run of that length comes to.
    """

    steps: PositiveInt
    batch: PositiveInt  # clips a step
    window: PositiveInt | None  # height and width of what a step sees of a clip, px; None: all of it
    learning_rate: PositiveFloat  # at its highest, after the warm-up
    schedule: Literal["constant", "cosine"]
    warm_up: PositiveInt  # steps
    weight_decay: Annotated[float, Field(ge=0)]
    gradient_norm: PositiveFloat  # gradients are scaled down to it
    feature_weight: Annotated[float, Field(ge=0)]  # of the block-feature loss; the L1 loss weighs 1
    curve_points: PositiveInt  # measurements of the learning curve, evenly spread, the last at the end
    curve_clips: PositiveInt  # validation clips that a point of the curve is measured on


class ConfirmationSettings(_Section):
    """How the designs that a search ends with are trained again."""

    times: PositiveInt = 4  # as many steps as in the search
    seeds: PositiveInt = 2  # runs of each design, none with a seed of the search


class Settings(_Section):
    """How quality is measured; studies that differ in more than the confirmation don't compare."""

    name: str = Field(exclude=True)  # of the preset, or of the file
    clips: ClipSettings
    proxy: ProxySettings | None  # None: designs are trained at full width
    training: TrainingSettings
    confirmation: ConfirmationSettings = ConfirmationSettings()

    def to_dict(self) -> dict[str, Any]:
        """As nested dicts of JSON values, without the name."""
        return self.model_dump(mode="json")

    def of_search(self) -> dict[str, Any]:
        """The sections that all trials of a study must share, as `to_dict` gives them."""
        return self.model_dump(mode="json", exclude={"confirmation"})

    def of_confirmation(self) -> TrainingSettings:
        """A longer training, its curve measured as densely."""
        times = self.confirmation.times
        longer = {"steps": self.training.steps * times, "curve_points": self.training.curve_points * times}
        return self.training.model_copy(update=longer)


def presets() -> list[str]:
    """The names of the shipped settings."""
    return preset_names(_PRESETS)


def load_settings(name: str | Path) -> Settings:
    """Reads a shipped preset by name, or a YAML file by path.

    Raises:
        UserError: there is no such preset or file, or a key or value in it is wrong (it is named).
    """
    values = read_settings("settings", name, _PRESETS, "the sections clips, proxy, training and confirmation")
    return validated(Settings, {"name": Path(name).stem} | values, "settings", name)
