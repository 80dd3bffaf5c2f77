"""`AutoencoderKLWan` over a whole clip at once instead of four frames at a time: the same numbers.

The class resamples time only where it is given a cache of past frames, and `vae.encode` and `vae.decode`
fill that cache four frames, respectively one latent, at a time. Its convolutions are causal and padded with
zeros, as an empty cache is, so the whole clip can pass at once if the resampling of time is told what the
first frame is. Both functions are differentiable and leave `vae.encode` and `vae.decode` as they were.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from .teacher import Autoencoder, Teacher

_LOG_VARIANCE = (-30.0, 20.0)  # as diffusers' DiagonalGaussianDistribution clamps it
TEMPORAL_COMPRESSION = 4  # fixed in the class: `_encode` counts `1 + (frames - 1) // 4` latents
_SPATIAL_COMPRESSION = 8  # of its patches: three of the four stages halve height and width


def encode_moments(vae: Autoencoder, clip: Tensor) -> Tensor:
    """Mean and log-variance of the posterior over latents, as `vae.encode` computes them.

    Args:
        vae: an `AutoencoderKLWan` of Wan 2.1's or 2.2's shape.
        clip: `[B, 3, T, H, W]` in -1..1. Frames beyond the last 4k+1 are dropped, as the class does.

    Returns:
        `[B, 2 * C, 1 + (T - 1) // 4, H', W']`: the mean in the first C channels, then the log-variance.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    _resample_whole_clips(vae)
    whole = 1 + (clip.shape[2] - 1) // TEMPORAL_COMPRESSION * TEMPORAL_COMPRESSION
    frames = patchify(clip[:, :, :whole], patch_size=vae.config.patch_size or 1)
    return vae.quant_conv(vae.encoder(frames))


def decode_latent(vae: Autoencoder, latent: Tensor) -> Tensor:
    """The video of a latent, as `vae.decode` computes it before its last step, the clamp to -1..1.

    The clamp is left to the caller because it stops the gradient of every value outside that range.

    Args:
        vae: an `AutoencoderKLWan` of Wan 2.1's or 2.2's shape.
        latent: `[B, C, T, H, W]`, raw (as `vae.decode` takes it, not normalised).

    Returns:
        `[B, 3, 1 + 4 * (T - 1), H', W']`.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    _resample_whole_clips(vae)
    video = vae.decoder(vae.post_quant_conv(latent), first_chunk=True)
    return unpatchify(video, patch_size=vae.config.patch_size or 1)


def _resample_whole_clips(vae: Autoencoder) -> None:
    """Give the time resamplers of `vae` a way to run without a cache, once."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanResample

    for module in vae.modules():
        if isinstance(module, WanResample) and "forward" not in vars(module):
            module.forward = partial(_resample, module)  # type: ignore[method-assign]


def _resample(
    module: Any, x: Tensor, feat_cache: list | None = None, feat_idx: list[int] | None = None
) -> Tensor:
    """`WanResample.forward` of `[B, C, T, H, W]`, which without a cache takes the first frame for the clip's.

    The first frame stands for itself in time; every later pair of frames becomes one, or comes from one.
    """
    if feat_cache is not None:
        return type(module).forward(module, x, feat_cache=feat_cache, feat_idx=feat_idx)
    batch, channels, frames = x.shape[:3]
    if module.mode == "upsample3d" and frames > 1:
        # The class leaves the first frame out of the others' past here: they are padded with zeros.
        later = module.time_conv(x[:, :, 1:]).unflatten(1, (2, channels)).permute(0, 2, 3, 1, 4, 5)
        x = torch.cat([x[:, :, :1], later.flatten(2, 3)], dim=2)
    images = module.resample(x.transpose(1, 2).flatten(0, 1))
    x = images.unflatten(0, (batch, -1)).transpose(1, 2)
    if module.mode == "downsample3d" and frames > 1:
        x = torch.cat([x[:, :, :1], module.time_conv(x)], dim=2)
    return x


class WanTeacher(Teacher):
    """Wan 2.1's and 2.2's autoencoder, run over whole clips, or four frames at a time where they are large.

    A whole clip is one call instead of one for every four frames, which a GPU gains from, but it holds all
    frames of a layer at a time. Both give the same numbers to fp32's rounding: `pixels_at_once` decides.
    """

    def _posterior(self, vae: Autoencoder, clip: Tensor) -> tuple[Tensor, Tensor]:
        if clip[:, 0].numel() > self.pixels_at_once:
            return super()._posterior(vae, clip)
        mean, log_variance = encode_moments(vae, clip).chunk(2, dim=1)
        return mean, log_variance.clamp(*_LOG_VARIANCE).mul(0.5).exp()

    def _decode(self, vae: Autoencoder, latent: Tensor) -> Tensor:
        side = _SPATIAL_COMPRESSION * (vae.config.patch_size or 1)
        if latent[:, 0].numel() * TEMPORAL_COMPRESSION * side**2 > self.pixels_at_once:
            return super()._decode(vae, latent)
        return decode_latent(vae, latent).clamp(-1, 1)
