"""Video DC-AE as a teacher, from a directory of its weights."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from nas.settings_file import validated
from nas.weights_file import first_difference, load_weights
from search_space.errors import UserError, first_line

from ..teacher import Autoencoder, LatentStatistics, Teacher
from .autoencoder import MODEL_NAME, VideoDCAE, VideoDCAEConfig


class VideoDCAETeacher(Teacher):
    """Video DC-AE: T latents are 4 * T frames, of two latents at least; a clip runs whole.

    The encoder gives latents and no distribution over them, so their deviation is zero.
    """

    measured_frames = 16

    @cached_property
    def statistics(self) -> LatentStatistics:
        """One factor for all channels."""
        shape = (self.latent_channels,)
        return LatentStatistics(torch.zeros(shape), torch.full(shape, self.vae.config.scaling_factor))

    def _posterior(self, vae: Autoencoder, clip: Tensor) -> tuple[Tensor, Tensor]:
        latent = vae.encoder(clip)
        return latent, torch.zeros_like(latent)

    def _decode(self, vae: Autoencoder, latent: Tensor) -> Tensor:
        video: Tensor = vae.decoder(latent)
        return video


def is_video_dc_ae(config: object) -> bool:
    """Whether a `config.json` is one: Open-Sora's, which has its name only, or one with sizes."""
    if not isinstance(config, dict):
        return False
    return config.get("_class_name") == "VideoDCAE" or config == {"model_name": MODEL_NAME}


def load_video_dc_ae(weights: Sequence[Path], config: Path | None) -> VideoDCAE:
    """Load the autoencoder.

    Args:
        weights: safetensors, one or more, with the published names.
        config: a `config.json` for which `is_video_dc_ae` holds, or None for the published sizes.

    Raises:
        UserError: the file is damaged, has the weights of another model, or the configuration is none.
    """
    sizes = {} if config is None else json.loads(config.read_text(encoding="utf-8"))
    named = {key: value for key, value in sizes.items() if key not in ("_class_name", "model_name")}
    chosen = validated(VideoDCAEConfig, named, "configuration of Video DC-AE", str(config))
    try:
        with torch.device("meta"):
            vae = VideoDCAE(chosen)
    except ValueError as error:
        raise UserError(f"configuration of Video DC-AE '{config}': {first_line(error)}") from error
    found = {name: tensor for path in weights for name, tensor in load_weights(path).items()}
    if (difference := first_difference(vae.state_dict(), found)) is not None:
        raise UserError(f"{weights[0]}: not the weights of this Video DC-AE: {difference}")
    vae.load_state_dict(found, assign=True)
    return vae.float()
