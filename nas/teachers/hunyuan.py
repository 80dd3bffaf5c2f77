"""`AutoencoderKLHunyuanVideo`, which decodes a clip of 17 frames or more in tiles of time that overlap."""

import torch
from torch import Tensor

from .teacher import Teacher


class HunyuanVideoTeacher(Teacher):
    """HunyuanVideo's autoencoder; features are cut and blended in time exactly as its video is."""

    def _join(self, pieces: list[Tensor], latent_frames: int) -> Tensor:
        """As `_temporal_tiled_decode` joins the video, at the pieces' own number of frames a latent."""
        if len(pieces) == 1:
            return pieces[0]
        vae = self.vae
        tile = vae.tile_sample_min_num_frames // vae.temporal_compression_ratio  # in latents, less the first
        stride = vae.tile_sample_stride_num_frames // vae.temporal_compression_ratio
        frames = (pieces[0].shape[2] - 1) // tile  # a latent, at this depth

        # Every tile but the first repeats the last frame before it, and then overlaps the one before.
        tiles = [pieces[0], *(piece[:, :, 1:] for piece in pieces[1:])]
        joined = [tiles[0][:, :, : stride * frames + 1]]
        for i in range(1, len(tiles)):
            tiles[i] = _blend(tiles[i - 1], tiles[i], (tile - stride) * frames)
            joined.append(tiles[i][:, :, : stride * frames])
        return torch.cat(joined, dim=2)[:, :, : (latent_frames - 1) * frames + 1]


def _blend(before: Tensor, after: Tensor, overlap: int) -> Tensor:
    """`after` with its first `overlap` frames faded in over the last ones of `before`, linearly."""
    overlap = min(before.shape[2], after.shape[2], overlap)
    if overlap == 0:
        return after
    fade = torch.arange(overlap, device=after.device).div(overlap).view(-1, 1, 1)
    mixed = before[:, :, -overlap:] * (1 - fade) + after[:, :, :overlap] * fade
    return torch.cat([mixed, after[:, :, overlap:]], dim=2)
