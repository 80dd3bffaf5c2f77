"""`AutoencoderKLWan` in two calls a clip instead of one for every four frames: the same numbers.

The class resamples time only through a cache of past frames (without one it skips temporal resampling), and
`vae.encode` and `vae.decode` fill that cache four frames, respectively one latent, at a time. Its
convolutions are causal and the cache holds all the past they see, so once the first frame is in it, the
whole rest can follow in a single call. Both functions are differentiable and bring a cache of their own, so
they depend on none of the class's private attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from diffusers import AutoencoderKLWan

TEMPORAL_COMPRESSION = 4  # fixed in the class: `_encode` counts `1 + (frames - 1) // 4` latents


def encode_moments(vae: AutoencoderKLWan, clip: Tensor) -> Tensor:
    """Mean and log-variance of the posterior over latents, as `vae.encode` computes them.

    Args:
        vae: of Wan 2.1's or 2.2's shape.
        clip: `[B, 3, T, H, W]` in -1..1. Frames beyond the last 4k+1 are dropped, as the class does.

    Returns:
        `[B, 2 * C, 1 + (T - 1) // 4, H', W']`: the mean in the first C channels, then the log-variance.
    """
    whole = 1 + (clip.shape[2] - 1) // TEMPORAL_COMPRESSION * TEMPORAL_COMPRESSION
    if vae.config.patch_size is not None:
        from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

        clip = patchify(clip, patch_size=vae.config.patch_size)
    return vae.quant_conv(_first_then_rest(vae.encoder, clip[:, :, :whole]))


def decode_latent(vae: AutoencoderKLWan, latent: Tensor) -> Tensor:
    """The video of a latent, as `vae.decode` computes it before its last step, the clamp to -1..1.

    The clamp is left to the caller because it stops the gradient of every value outside that range.

    Args:
        vae: of Wan 2.1's or 2.2's shape.
        latent: `[B, C, T, H, W]`, raw (as `vae.decode` takes it, not normalised).

    Returns:
        `[B, 3, 1 + 4 * (T - 1), H', W']`.
    """
    video = _first_then_rest(vae.decoder, vae.post_quant_conv(latent), only_first={"first_chunk": True})
    if vae.config.patch_size is not None:
        from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

        video = unpatchify(video, patch_size=vae.config.patch_size)
    return video


def _first_then_rest(half: nn.Module, frames: Tensor, only_first: dict[str, Any] | None = None) -> Tensor:
    """The encoder or decoder run on frame 1 of `[B, C, T, H, W]` (with `only_first`), then on all others."""
    cache = [None] * sum(1 for _ in half.modules())  # one slot per causal convolution is used, the rest spare
    outputs = [half(frames[:, :, :1], feat_cache=cache, feat_idx=[0], **(only_first or {}))]
    if frames.shape[2] > 1:
        outputs.append(half(frames[:, :, 1:], feat_cache=cache, feat_idx=[0]))
    return torch.cat(outputs, dim=2)
