"""A frozen autoencoder to learn from: latents, decoded video and the features of its decoder's blocks."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import torch
from torch import Tensor

from search_space.errors import UserError, first_line

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
    """

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
                f"a clip [1, 3, 17, 64, 64] ({first_line(error)})"
            ) from error
        self._round_trips = cache(self._round_trips_uncached)

    def _measure(self) -> None:
        with torch.no_grad():
            latent = self._encode(self._weightless, torch.empty(1, 3, 17, 64, 64, device="meta"))
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
        raise UserError(
            f"{self.name} needs clips of {time + self._extra_frames} frames at least, not {at_most}"
        )

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
            return self._encode(self.vae, clip.to(self.device, torch.float32))

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
            return self._posterior(self.vae, clip.to(self.device, torch.float32))

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
            return self._decode(self.vae, latent.to(self.device, torch.float32))

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
        decoder = self.vae.decoder
        blocks = {"decoder": decoder}
        if hasattr(decoder, "mid_block"):
            blocks["mid_block"] = decoder.mid_block
        blocks |= {f"up_block_{i}": block for i, block in enumerate(getattr(decoder, "up_blocks", []))}
        pieces: dict[str, list[Tensor]] = {name: [] for name in blocks}

        def keep(name: str) -> Any:
            # CogVideoX's blocks return their output and the cache of their convolutions.
            return lambda _module, _inputs, output: pieces[name].append(
                output[0] if isinstance(output, tuple) else output
            )

        hooks = [block.register_forward_hook(keep(name)) for name, block in blocks.items()]
        try:
            video = self.decode(latent)
        finally:
            for hook in hooks:
                hook.remove()
        features = {name: self._join(parts, latent.shape[2]) for name, parts in pieces.items()}
        if features.pop("decoder").shape[2] != video.shape[2]:
            raise UserError(
                f"{self.name}: {type(self.vae).__name__} decodes pieces of time that overlap or are cut, so "
                "how its features lie in time isn't known"
            )
        return video, features

    def features(self, latent: Tensor, blocks: Collection[str]) -> dict[str, Tensor]:
        """What some of the decoder's blocks put out, without decoding further than they need.

        Args:
            latent: raw, `[B, C, t, h, w]`.
            blocks: names out of those that `decode_features` returns.

        Returns:
            By name `[B, C', T', H', W']`, of the whole clip.

        Raises:
            UserError: the decoder has no such block.
        """
        return self._chosen(self.decode_features(latent)[1], blocks)

    def _chosen(self, features: dict[str, Tensor], blocks: Collection[str]) -> dict[str, Tensor]:
        if missing := [name for name in blocks if name not in features]:
            raise UserError(
                f"{self.name}'s decoder has no block {missing[0]}: it has {', '.join(features) or 'none'}"
            )
        return {name: features[name] for name in blocks}

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
