"""TAEHV's decoder (Ollin Boer Bohan, github.com/madebyollin/taehv), built as its checkpoints tell.

Its checkpoints are one chain of numbered layers, so kinds, widths and strides are read off names and shapes:
taehv, taew2_1, taew2_2, taehv1_5, taecvx and taeltx alike. It takes latents as a diffusion model sees them,
normalised, and memory is the frame before, concatenated to each block's input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.weights_file import first_difference
from search_space.errors import UserError

_LAYER = re.compile(r"decoder\.(\d+)\.(.+)")


def is_taehv(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are the weights of one, with its encoder or without."""
    return "decoder.1.weight" in weights and any(".conv.4." in name for name in weights)


class TaehvDecoder(nn.Module):
    """Normalised latents `[B, C, T, h, w]` to video `[B, 3, t(T - 1) + 1, H, W]` in -1..1.

    Attributes:
        latent_channels: C.
        compression: (t, H / h, W / w).
    """

    def __init__(self, weights: Mapping[str, Tensor], by_time: int) -> None:
        """Builds the decoder of these weights and loads them.

        Args:
            weights: of a checkpoint.
            by_time: frames for one latent. Where the checkpoint's layers grow time by more, as those that are
                shared with other models do, the first of them keep their last frame only.

        Raises:
            UserError: they aren't a TAEHV's.
        """
        super().__init__()
        layers: dict[int, dict[str, Tensor]] = {}
        for name, tensor in weights.items():
            if match := _LAYER.fullmatch(name):
                layers.setdefault(int(match[1]), {})[match[2]] = tensor.float()
        strides = {i: _stride(layer["conv.weight"]) for i, layer in layers.items() if "conv.weight" in layer}
        for index, stride in sorted(strides.items()):
            if prod(strides.values()) > by_time and stride > 1:
                grow = layers[index]["conv.weight"]
                layers[index]["conv.weight"], strides[index] = grow[-grow.shape[1] :], 1
        self.decoder = nn.Sequential(*(_layer(layers, index) for index in range(max(layers) + 1)))
        ours = {
            f"decoder.{index}.{name}": tensor
            for index, layer in layers.items()
            for name, tensor in layer.items()
        }
        if difference := first_difference(self.state_dict(), ours):
            raise UserError(f"no TAEHV: {difference}")
        self.load_state_dict(ours)

        self.by_time = prod(strides.values())
        self.patch = round((layers[max(layers)]["weight"].shape[0] / 3) ** 0.5)
        by_space = self.patch * 2 ** sum(isinstance(layer, nn.Upsample) for layer in self.decoder)
        self.latent_channels = layers[1]["weight"].shape[1]
        self.compression = (self.by_time, by_space, by_space)

    def forward(self, latent: Tensor) -> Tensor:
        batch = latent.shape[0]
        frames = latent.transpose(1, 2).flatten(0, 1)
        for layer in self.decoder:
            frames = layer(frames, batch) if isinstance(layer, _Memory) else layer(frames)
        video = functional.pixel_shuffle(frames, self.patch).clamp(0, 1).mul(2).sub(1)
        return video.unflatten(0, (batch, -1)).transpose(1, 2)[:, :, self.by_time - 1 :]


class _Squash(nn.Module):
    def forward(self, frames: Tensor) -> Tensor:
        return 3 * torch.tanh(frames / 3)


class _Memory(nn.Module):
    """Three convolutions of each frame beside the one before it, plus the frame itself."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        out, both = weights["conv.0.weight"].shape[:2]
        widths = [(both, out), (out, out), (out, out)]
        convolutions = [nn.Conv2d(before, after, 3, padding=1) for before, after in widths]
        self.conv = nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1], nn.ReLU(), convolutions[2])
        self.skip = nn.Conv2d(both // 2, out, 1, bias=False) if both // 2 != out else nn.Identity()

    def forward(self, frames: Tensor, batch: int) -> Tensor:
        clips = frames.unflatten(0, (batch, -1))
        past = torch.cat([torch.zeros_like(clips[:, :1]), clips[:, :-1]], dim=1).flatten(0, 1)
        return functional.relu(self.conv(torch.cat([frames, past], dim=1)) + self.skip(frames))


class _Grow(nn.Module):
    """`[N, C, H, W]` to `[stride * N, C, H, W]` by a 1x1 convolution."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.stride = _stride(weight)
        self.conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        return self.conv(frames).unflatten(1, (self.stride, -1)).flatten(0, 1)


def _stride(weight: Tensor) -> int:
    return weight.shape[0] // weight.shape[1]


def _layer(layers: Mapping[int, Mapping[str, Tensor]], index: int) -> nn.Module:
    """The layer of that number: one without weights is told by its neighbours."""
    weights = layers.get(index, {})
    if "conv.0.weight" in weights:
        return _Memory(weights)
    if "conv.weight" in weights:
        return _Grow(weights["conv.weight"])
    if "weight" in weights:
        out, before = weights["weight"].shape[:2]
        return nn.Conv2d(before, out, 3, padding=1, bias="bias" in weights)
    if index == 0:
        return _Squash()
    return nn.Upsample(scale_factor=2) if "conv.weight" in layers.get(index + 1, {}) else nn.ReLU()
