"""A frozen autoencoder to learn from: latents, decoded video and the features of its decoder's blocks."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import torch
from torch import Tensor

from search_space.errors import UserError, first_line

from .features import WHOLE, blocks_of, decode_keeping
from .growth import measured_growth
from .weights import WeightsInUse

Autoencoder = Any  # one of diffusers' AutoencoderKL classes, which are imported late and publish no types


@dataclass(frozen=True)
class LatentStatistics:
    """What a diffusion model sees is `(latent - mean) / std`; both `[C]`, one value a latent channel."""

    mean: Tensor
    std: Tensor


class Teacher:
    """A frozen autoencoder of a latent video model.

    Latents are raw: what `vae.decode` receives, not normalised; the statistics of that normalisation are kept
    beside them. Latent channels and compression are measured on a copy without weights (on PyTorch's meta
    device), since what a configuration says of them can be wrong (Wan 2.2's `scale_factor_spatial`).

    Attributes:
        name: as the teacher was asked for.
        vae: the autoencoder, in evaluation mode, in fp32, without gradients.
        weights: what was loaded, for display and for the record.
        latent_channels: C.
        compression: frames, height and width of the video per one of the latent, (t, h, w).
        pixels_at_once: clips of a batch run together up to so many pixels of all their frames (14 clips of
            9x128x128, one of 17x256x256); a class that can takes a larger clip in pieces of time.
    """

    pixels_at_once = 2**21
    measured_frames = 17  # of the clip that a class is measured with

    def __init__(self, name: str, vae: Autoencoder, weights: WeightsInUse) -> None:
        """Measure `vae`.

        Raises:
            UserError: `vae` doesn't encode and decode video.
        """
        self.name = name
        self.weights = weights
        self.vae = vae.eval().requires_grad_(False)
        with torch.device("meta"):
            weightless = type(vae).from_config(vae.config)
        # Cosmos's wavelets are constants that were made before, elsewhere.
        self._weightless = weightless.to("meta").eval()
        try:
            self._measure()
        except Exception as error:  # whatever a class that was never meant for video does with a clip
            raise UserError(
                f"{weights.source}: {type(vae).__name__} can't be a teacher, it doesn't encode and decode "
                f"a clip [1, 3, {self.measured_frames}, 64, 64] ({first_line(error)})"
            ) from error
        self._round_trips = cache(self._round_trips_uncached)

    def _measure(self) -> None:
        with torch.no_grad():
            clip = torch.empty(1, 3, self.measured_frames, 64, 64, device="meta")
            latent = self._encode(self._weightless, clip)
        self.latent_channels: int = latent.shape[1]
        growth = measured_growth(partial(self._decode, self._weightless), self.latent_channels)
        self.compression: tuple[int, int, int] = growth.compression
        self._extra_frames = growth.extra_frames  # T latents are `time * T + _extra_frames` frames

    @property
    def keeps_first_frames(self) -> bool:
        """Whether T latents are t * T frames and not, as in causal autoencoders, t * (T - 1) + 1."""
        return self._extra_frames != 1 - self.compression[0]

    @property
    def device(self) -> torch.device:
        return next(self.vae.parameters()).device

    @cached_property
    def statistics(self) -> LatentStatistics:
        """The normalisation its diffusion model was trained with: per channel, or one factor for all."""
        config = self.vae.config
        # LTX-Video keeps the statistics of its channels with the weights, the others in the configuration.
        kept = dict(self.vae.named_buffers())
        mean = kept.get("latents_mean", config.get("latents_mean"))
        std = kept.get("latents_std", config.get("latents_std"))
        mean = torch.as_tensor(config.get("shift_factor") or 0.0 if mean is None else mean)
        factor = config.get("scaling_factor") or 1.0
        if config.get("invert_scale_latents"):  # CogVideoX 1.5 was trained on latents divided by its factor
            factor = 1 / factor
        std = torch.as_tensor(1.0 if std is None else std) / factor
        return LatentStatistics(
            *(value.detach().cpu().float().expand(self.latent_channels) for value in (mean, std))
        )

    def frames(self, at_most: int) -> int:
        """The greatest clip length up to `at_most` frames that comes back whole from encoding and decoding.

        Wan and HunyuanVideo return 4k+1 frames whole, CogVideoX and LTX-Video 8k+1.

        Raises:
            UserError: no clip that short comes back whole.
        """
        time = self.compression[0]
        for latents in range((at_most - self._extra_frames) // time, 0, -1):
            if self._round_trips(latents):
                return time * latents + self._extra_frames
        raise UserError(f"{self.name} returns no clip of {at_most} frames or fewer whole: give longer ones")

    def _round_trips_uncached(self, latents: int) -> bool:
        frames = self.compression[0] * latents + self._extra_frames
        _, height, width = self.compression
        with torch.no_grad():
            clip = torch.empty(1, 3, frames, 2 * height, 2 * width, device="meta")
            latent = self._encode(self._weightless, clip)
            return latent.shape[2] == latents and self._decode(self._weightless, latent).shape[2] == frames

    def encode(self, clip: Tensor) -> Tensor:
        """The raw latents of a clip: the mean of the posterior, so the same clip always has the same latents.

        Args:
            clip: `[B, 3, T, H, W]` in -1..1; T as `frames` returns it, H and W whole multiples of the
                compression.

        Returns:
            `[B, C, t, h, w]`, fp32, on the teacher's device.

        Raises:
            UserError: the clip's length or size isn't one that the teacher returns whole.
        """
        self._check(clip)
        with torch.no_grad():
            return torch.cat([self._encode(self.vae, part) for part in self._at_once(clip, 1)])

    def posterior(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of a clip's raw latents, which training samples from.

        Args:
            clip: as for `encode`.

        Returns:
            Two of `[B, C, t, h, w]`, fp32; the deviation is zero where the class has no distribution.

        Raises:
            UserError: as for `encode`.
        """
        self._check(clip)
        with torch.no_grad():
            mean, std = zip(
                *(self._posterior(self.vae, part) for part in self._at_once(clip, 1)), strict=True
            )
        return torch.cat(mean), torch.cat(std)

    def _check(self, clip: Tensor) -> None:
        _, _, frames, height, width = clip.shape
        if (whole := self.frames(frames)) != frames:
            raise UserError(f"{self.name} drops frames of a clip of {frames}: give one of {whole}")
        _, by_height, by_width = self.compression
        if height % by_height or width % by_width:
            raise UserError(
                f"{self.name} needs a height that is a multiple of {by_height} and a width that is one of "
                f"{by_width}, not {height}x{width}"
            )

    def decode(self, latent: Tensor) -> Tensor:
        """The video `[B, 3, T, H, W]`, about -1..1, of raw latents `[B, C, t, h, w]`."""
        with torch.no_grad():
            return torch.cat([self._decode(self.vae, part) for part in self._latents_at_once(latent)])

    def decode_features(self, latent: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Decode, and keep what the decoder's mid block and up blocks put out.

        Several classes decode a clip in pieces of time; the pieces of a feature are joined as those of the
        video are, so that a feature is always of the whole clip.

        Args:
            latent: raw, `[B, C, t, h, w]`.

        Returns:
            The video `[B, 3, T, H, W]`, and by block name ("mid_block", "up_block_0", …) its output
            `[B, C', T', H', W']`, as far as the class has blocks of these names.

        Raises:
            UserError: the class decodes pieces that overlap or are cut in a way that isn't known here.
        """
        kept = [self._run(self.vae, part) for part in self._latents_at_once(latent)]
        features = {name: torch.cat([found[name] for _, found in kept]) for name in kept[0][1]}
        return torch.cat([video for video, _ in kept]), features

    def features(self, latent: Tensor, blocks: Collection[str]) -> dict[str, Tensor]:
        """What some of the decoder's blocks put out, equal to those of `decode_features`.

        What follows the last of them, which is most of the work and of the memory, is not decoded.

        Args:
            latent: raw, `[B, C, t, h, w]`.
            blocks: names out of those that `decode_features` returns.

        Returns:
            By name `[B, C', T', H', W']`, of the whole clip.

        Raises:
            UserError: the decoder has no such block.
        """
        has = list(blocks_of(self.vae.decoder))
        if missing := [name for name in blocks if name not in has]:
            raise UserError(
                f"{self.name}'s decoder has no block {missing[0]}: it has {', '.join(has) or 'none'}"
            )
        kept = [self._run(self.vae, part, blocks)[1] for part in self._latents_at_once(latent)]
        return {name: torch.cat([found[name] for found in kept]) for name in blocks}

    def feature_shapes(self, latent: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """The shapes `[B, C', T', H', W']` of `decode_features` for latents `[B, C, t, h, w]`, uncomputed.

        Raises:
            UserError: as for `decode_features`.
        """
        _, found = self._run(self._weightless, torch.empty(tuple(latent), device="meta"))
        return {name: tuple(feature.shape) for name, feature in found.items()}

    def _run(
        self, vae: Autoencoder, latent: Tensor, wanted: Collection[str] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The video and all features; or the features of the blocks `wanted`, and no video to be used."""
        with torch.no_grad():
            video, pieces = decode_keeping(vae.decoder, partial(self._decode, vae, latent), wanted)
        features = {name: self._join(parts, latent.shape[2]) for name, parts in pieces.items()}
        if features.pop(WHOLE).shape[2] != video.shape[2]:
            raise UserError(
                f"{self.name}: {type(self.vae).__name__} decodes pieces of time that overlap or are cut, so "
                "how its features lie in time isn't known"
            )
        return video, features

    def _latents_at_once(self, latent: Tensor) -> tuple[Tensor, ...]:
        return self._at_once(latent, math.prod(self.compression))

    def _at_once(self, batch: Tensor, pixels: int) -> tuple[Tensor, ...]:
        """A batch of clips or latents `[B, C, T, H, W]` in parts that run together, on the teacher's device.

        A sample is computed by itself whatever lies beside it, so parts change the memory alone, to rounding.

        Args:
            batch: what to split.
            pixels: of the video, for one place of it.
        """
        batch = batch.to(self.device, torch.float32)
        return batch.split(max(1, self.pixels_at_once // (math.prod(batch.shape[2:]) * pixels)))

    # What a class of autoencoder does in its own way is overridden in wan.py, hunyuan.py and ltx.py.

    def _encode(self, vae: Autoencoder, clip: Tensor) -> Tensor:
        return self._posterior(vae, clip)[0]

    def _posterior(self, vae: Autoencoder, clip: Tensor) -> tuple[Tensor, Tensor]:
        latent = vae.encode(clip).latent_dist
        mean = latent.mode()
        std: Tensor = getattr(latent, "std", torch.zeros_like(mean))  # Cosmos's encoder is no distribution
        return mean, std

    def _decode(self, vae: Autoencoder, latent: Tensor) -> Tensor:
        return vae.decode(latent).sample

    def _join(self, pieces: list[Tensor], latent_frames: int) -> Tensor:
        """One tensor of the pieces `[B, C, T, H, W]` of a clip of `latent_frames`, in order of time."""
        return torch.cat(pieces, dim=2)
