"""Whether a training may be continued: only with the same design, teacher and settings of what is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nas.training.checkpoint import Place
from nas.weights_file import first_difference
from search_space.errors import UserError

# What may change between one call and the next: how long, how fast and how often, not what is learnt.
_FREE = (
    "steps",
    "batch",
    "accumulation",
    "precision",
    "gradient_checkpointing",
    "validate_every",
    "save_every",
    "data.workers",
    "perceptual.vgg16",
    "teacher.name",  # the digest of its weights tells
    "teacher.weights",
)


def refuse_another(
    was: Place, now: Place, weights: Mapping[str, Tensor], decoder: Mapping[str, Tensor], checkpoint: Path
) -> None:
    """Sees that a checkpoint is of the same training.

    Args:
        was: its place.
        now: that of a training that would begin.
        weights: the decoder's in the checkpoint.
        decoder: those of the design in the folder.
        checkpoint: the file, named in errors.

    Raises:
        UserError: it isn't; names the first difference.
    """
    if was.design != now.design:
        difference = first_difference(decoder, weights) or "it computes otherwise"
        raise UserError(
            f"{checkpoint} is of another design than its folder holds now: {difference}; remove it to begin"
            " anew"
        )
    if was.teacher != now.teacher:
        raise UserError(
            f"{checkpoint} was trained on latents of weights {was.teacher[:16]}, not of {now.teacher[:16]}: "
            "give the same teacher, or remove it to begin anew"
        )
    before, after = _flat(was.settings), _flat(now.settings)
    for key, value in after.items():
        if key not in _FREE and before.get(key) != value:
            raise UserError(
                f"{key} is {value}, but this training was begun with {before.get(key)}: put it back, or "
                f"remove {checkpoint.parent} to begin anew"
            )


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as `section.key`."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
