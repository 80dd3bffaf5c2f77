"""What is evaluated: an exported design, a published Turbo-VAED checkpoint or a TAEHV one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas.evaluation.taehv import TaehvDecoder, is_taehv
from nas.export import CONFIG, WEIGHTS
from nas.inputs import latents as described_latents
from nas.teachers import Teacher
from nas.weights_file import PICKLED, first_difference, read_weights_file
from search_space import DecoderConfig, build_decoder, design, designs
from search_space.errors import UserError

# Where training code keeps the weights, the averaged ones first.
_HOLDERS = ("ema_state_dict", "ema", "state_dict", "gen_model", "model")
_NOT_THE_DECODERS = ("encoder.", "aligned_feature_projection_heads.", "quant_conv.", "post_quant_conv.")


@dataclass(frozen=True)
class Student:
    """A decoder in place of a teacher's.

    Attributes:
        name: for display.
        decoder: a module that takes latents `[B, C, t, h, w]` to video `[B, 3, T, H, W]`.
        normalised: whether those are latents as a diffusion model sees them, and not raw.
    """

    name: str
    decoder: nn.Module
    normalised: bool

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.decoder.parameters())

    def decode(self, latent: Tensor, teacher: Teacher) -> Tensor:
        """The video, about -1..1, of a teacher's raw latents."""
        if self.normalised:
            mean, std = (
                value.to(latent.device).view(1, -1, 1, 1, 1)
                for value in (teacher.statistics.mean, teacher.statistics.std)
            )
            latent = (latent - mean) / std
        with torch.no_grad():
            return self.decoder(latent)


def load_student(path: Path, teacher: Teacher) -> Student:
    """Loads a decoder for a teacher's latents.

    Args:
        path: the folder of an exported design, or a folder or file of published weights (safetensors, or a
            pickle of nothing but weights); those of a Turbo-VAED beside their `config.json`, or of one of the
            designs known here.
        teacher: whose latents it decodes.

    Raises:
        UserError: there is nothing such, it is damaged, of another design (names the first layer that
            differs) or for other latents.
    """
    file = _weights_in(path) if path.is_dir() else path
    contents = read_weights_file(file)
    held = _held(contents)
    if is_taehv(held):
        taehv = TaehvDecoder(held, teacher.compression[0])
        if (taehv.latent_channels, taehv.compression) != (teacher.latent_channels, teacher.compression):
            raise UserError(
                f"{file} decodes {taehv.latent_channels} channels at {_by(taehv.compression)}; teacher "
                f"{teacher.name} has {teacher.latent_channels} at {_by(teacher.compression)}"
            )
        return Student(f"TAEHV ({file.stem})", taehv.to(teacher.device).eval(), normalised=True)
    weights = _decoders_own(held)
    config = _config(file, weights)
    if (ours := described_latents(config)) != (theirs := described_latents(teacher)):
        raise UserError(f"{file} is for {ours}; teacher {teacher.name} has {theirs}")
    decoder = build_decoder(config)
    if difference := first_difference(decoder.state_dict(), weights):
        raise UserError(f"{file} is of another design than {file.parent / CONFIG}: {difference}")
    decoder.load_state_dict(weights)
    return Student(path.name or path.resolve().name, decoder.to(teacher.device).eval(), normalised=False)


def _weights_in(folder: Path) -> Path:
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".safetensors", *PICKLED)]
    if len(files) != 1:
        raise UserError(f"'{folder}' has {len(files) or 'no'} files of weights: name the one that is meant")
    return files[0]


def _held(contents: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, out of the dictionaries that training code puts them in."""
    for holder in _HOLDERS:
        if isinstance(contents.get(holder), Mapping) and contents[holder]:
            return _held(contents[holder])
    tensors = {name: value for name, value in contents.items() if isinstance(value, Tensor)}
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def _decoders_own(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A decoder's weights without what was trained beside it."""
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith(_NOT_THE_DECODERS)}
    if any(name.startswith("decoder.") for name in kept):
        kept = {name: tensor for name, tensor in kept.items() if name.startswith("decoder.")}
    return {name.removeprefix("decoder."): tensor.float() for name, tensor in kept.items()}


def _config(file: Path, weights: Mapping[str, Tensor]) -> DecoderConfig:
    """The configuration beside a file of weights, or that of the known design which has such weights."""
    if (file.parent / CONFIG).is_file():
        return DecoderConfig.load(file.parent / CONFIG)
    for name in designs():
        with torch.device("meta"):
            wanted = build_decoder(design(name)).state_dict()
        if first_difference(wanted, weights) is None:
            return design(name)
    raise UserError(f"{file} is of no design known here: put its {CONFIG} beside it")


def _by(compression: tuple[int, int, int]) -> str:
    return "x".join(map(str, compression))
