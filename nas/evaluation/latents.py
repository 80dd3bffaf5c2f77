"""Latents that a diffusion model made, in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from nas.teachers import Teacher
from nas.weights_file import load_weights
from search_space.errors import UserError

_SUFFIXES = (".safetensors", ".pt", ".pth")
_LARGEST = 20.0  # magnitude: normalised latents have a deviation of about 1


def generated_latents(folder: Path, teacher: Teacher) -> Iterator[tuple[str, Tensor]]:
    """Latents as a pipeline of diffusers returns them with `output_type="latent"`: normalised.

    Args:
        folder: of files, each with one tensor `[C, t, h, w]` or `[B, C, t, h, w]`; safetensors, or a pickled
            dictionary of tensors.
        teacher: whose latents they are.

    Yields:
        A file's name, and raw latents `[1, C, t, h, w]` as the teacher's decoder takes them.

    Raises:
        UserError: there are none, or they aren't the teacher's.
    """
    files = [path for path in sorted(folder.glob("*")) if path.suffix in _SUFFIXES]
    if not files:
        raise UserError(f"--latents {folder}: holds no latents (looked for {' '.join(_SUFFIXES)})")
    mean, std = (value.view(1, -1, 1, 1, 1) for value in (teacher.statistics.mean, teacher.statistics.std))
    for path in files:
        for name, tensor in load_weights(path).items():
            label = path.name if name == "latents" else f"{path.name}: {name}"
            latents = tensor[None] if tensor.ndim == 4 else tensor
            if latents.ndim != 5 or latents.shape[1] != teacher.latent_channels:
                raise UserError(
                    f"{label} is {list(tensor.shape)}: latents of {teacher.name} are "
                    f"[{teacher.latent_channels}, t, h, w], with or without a batch before"
                )
            if not float(latents.abs().max()) < _LARGEST:
                raise UserError(
                    f"{label} reaches {float(latents.abs().max()):.3g}: normalised latents of {teacher.name} "
                    f"don't; give what a pipeline returns with output_type='latent'"
                )
            for latent in latents.float().split(1):
                yield label, (latent * std + mean).to(teacher.device)
