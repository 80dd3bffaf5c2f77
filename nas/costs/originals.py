"""Originals: the decoders that teachers come with, which are not built from this project's blocks.

An original runs as its own class decodes, on PyTorch's meta device, and its operators are read off:
coremltools stops at some of them, as at a nearest upsampling in time. That gives one block, since a decoder
that works piece by piece goes through its stages for each and keeps features of one piece for the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from nas.costs.blocks import Block, Runtime, Source, executed
from nas.costs.device import Execution
from nas.lowering import Lowering
from nas.teachers.dc_ae import LATENT_CHANNELS, MODEL_NAME, VideoDCAEDecoder
from nas.teachers.growth import Growth, measured_growth
from search_space.errors import UserError, first_line

ENCODING = ("encoder", "quant_conv")  # modules of an autoencoder that decoding does not use


def is_original(config: Mapping[str, Any]) -> bool:
    """Whether `config`, read from JSON, is an original's: of diffusers' AutoencoderKL classes, or Open-Sora's
    Video DC-AE (`{"model_name": "dc-ae-f32t4c128"}`)."""
    class_name = str(config.get("_class_name", ""))
    of_diffusers = class_name.startswith("AutoencoderKL") and class_name != "AutoencoderKLTurboVAED"
    return of_diffusers or _is_dc_ae(config)


def _is_dc_ae(config: Mapping[str, Any]) -> bool:
    return "_class_name" not in config and config.get("model_name") == MODEL_NAME


@dataclass(frozen=True)
class Original:
    """The decoder of an original autoencoder, as something to price (`nas.costs.blocks.Decodable`).

    Attributes:
        name: its class, or the model's name where diffusers has no class for it.
        config: as JSON.
        latent_channels: C of its latents.
        growth: how much larger its video is than a latent.
        params: parameters that decoding uses.
    """

    name: str
    config: str
    latent_channels: int
    growth: Growth
    params: int

    @property
    def compression(self) -> tuple[int, int, int]:
        """Video frames, rows and columns for one of the latent: (t, h, w)."""
        return self.growth.compression

    def latent_shape(self, resolution: tuple[int, int], frames: int) -> tuple[int, ...]:
        """[1, C, T, H, W] of the fewest latents that cover `frames` frames of (height, width) pixels."""
        _, height, width = self.compression
        edges = (-(-resolution[0] // height), -(-resolution[1] // width))
        return (1, self.latent_channels, self.growth.latents(frames), *edges)

    def frames_decoded(self, frames: int) -> int:
        """Frames that those latents give."""
        return self.compression[0] * self.growth.latents(frames) + self.growth.extra_frames

    def sources(self, runtime: Runtime) -> tuple[Source, ...]:
        """Its operators are read off by PyTorch, whatever runs it."""
        return ("trace",)

    def lowerings(self, runtime: Runtime) -> tuple[None]:
        """It is priced as its class computes, whatever runs it."""
        return (None,)

    def build(self) -> nn.Module:
        """The decoder, latent [1, C, T, H, W] to video, on PyTorch's current device, with random weights."""
        return _decoder(json.loads(self.config))

    def blocks(
        self, latent_shape: Sequence[int], source: Source, lowering: Lowering | None, execution: Execution
    ) -> list[Block]:
        """The whole decoder as one block on a latent [1, C, T, H, W].

        Raises:
            NotImplementedError: where it has an operator that `nas.costs.trace` lacks.
        """
        return [_block(self, tuple(latent_shape), execution)]


@lru_cache
def _block(found: Original, latent_shape: tuple[int, ...], execution: Execution) -> Block:
    with torch.device("meta"):
        decoder = found.build()
    program = executed(decoder, latent_shape, execution)
    identity = hashlib.sha256(repr((found, latent_shape, execution)).encode()).hexdigest()
    return Block("decoder", found.name, identity, found.params, program)


def original(config: Mapping[str, Any]) -> Original:
    """The original of a configuration for which `is_original` holds.

    Raises:
        UserError: where the installed diffusers lacks its class, or it is none that decodes video.
    """
    return _original(json.dumps(dict(config), sort_keys=True))


@lru_cache
def _original(text: str) -> Original:
    config = json.loads(text)
    name = MODEL_NAME if _is_dc_ae(config) else config["_class_name"]
    try:
        with torch.device("meta"):
            decoder = _decoder(config)
        channels = decoder.latent_channels
        growth = measured_growth(decoder, channels)
    except UserError:
        raise
    except Exception as error:  # wrong keys and values, image autoencoders: diffusers raises a type for each
        raise UserError(f"{name} with this configuration decodes no video ({first_line(error)})") from error
    return Original(name, text, channels, growth, decoder.params)


def _decoder(config: Mapping[str, Any]) -> _OriginalDecoder:
    kind = _VideoDCAE if _is_dc_ae(config) else _DiffusersAutoencoder
    return kind(config).eval()


class _OriginalDecoder(nn.Module):
    latent_channels: int
    params: int


class _VideoDCAE(_OriginalDecoder):
    latent_channels = LATENT_CHANNELS

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.decoder = VideoDCAEDecoder()
        self.params = sum(parameter.numel() for parameter in self.parameters())

    def forward(self, latent: Tensor) -> Tensor:
        video: Tensor = self.decoder(latent)
        return video


class _DiffusersAutoencoder(_OriginalDecoder):
    """`decode` of one of diffusers' autoencoders."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        import diffusers  # late: with the class it takes seconds to import

        class_name = str(config["_class_name"])
        kind = getattr(diffusers, class_name, None)
        if kind is None:
            raise UserError(
                f"diffusers {diffusers.__version__} has no class {class_name}:"
                " give an autoencoder of its, such as AutoencoderKLWan"
            )
        vae = kind.from_config(dict(config)).to(
            torch.get_default_device()
        )  # Cosmos's wavelets were made before
        if hasattr(vae, "use_framewise_decoding"):
            # HunyuanVideo's decodes 17 frames in two overlapping pieces by default: 1.4 times the work.
            vae.use_framewise_decoding = False
        self.latent_channels = int(vae.config.get("latent_channels") or vae.config["z_dim"])
        for name in ENCODING:
            if hasattr(vae, name):
                setattr(vae, name, nn.Identity())  # some look through its modules
        self.params = sum(weight.numel() for weight in vae.parameters())
        self.takes_timestep = bool(vae.config.get("timestep_conditioning"))
        self.vae = vae

    def forward(self, latent: Tensor) -> Tensor:
        # A decoder of LTX-Video that finishes the denoising: at timestep 0 it takes the latent to be clean.
        timestep = (latent.new_zeros(latent.shape[0]),) if self.takes_timestep else ()
        video: Tensor = self.vae.decode(latent, *timestep, return_dict=False)[0]
        return video
