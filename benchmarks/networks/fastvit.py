"""FastViT (arXiv 2303.14189) in its inference form."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .mobileone import convolution

HEAD_CHANNELS = 32


class Variant(NamedTuple):
    """Of table 2 of the paper; `attends` tells whether the last stage attends."""

    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    expansion: int
    attends: bool


VARIANTS = {
    "t8": Variant((2, 2, 4, 2), (48, 96, 192, 384), 3, False),
    "t12": Variant((2, 2, 6, 2), (64, 128, 256, 512), 3, False),
    "s12": Variant((2, 2, 6, 2), (64, 128, 256, 512), 4, False),
    "sa12": Variant((2, 2, 6, 2), (64, 128, 256, 512), 4, True),
    "sa24": Variant((4, 4, 12, 4), (64, 128, 256, 512), 4, True),
    "sa36": Variant((6, 6, 18, 6), (64, 128, 256, 512), 4, True),
    "ma36": Variant((6, 6, 18, 6), (76, 152, 304, 608), 4, True),
}


def fastvit(variant: str) -> nn.Sequential:
    """FastViT-`variant`: images `[B, 3, H, W]` to `[B, 1000]`; published at 256 x 256."""
    blocks, widths, expansion, attends = VARIANTS[variant]
    first, last = widths[0], widths[-1]
    layers: list[nn.Module] = [
        gelu_convolution(3, first, 3, stride=2),
        gelu_convolution(first, first, 3, stride=2, groups=first),
        gelu_convolution(first, first, 1),
    ]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        if stage > 0:
            before = widths[stage - 1]
            layers.append(gelu_convolution(before, width, 7, stride=2, groups=before))
            layers.append(gelu_convolution(width, width, 1))
        attention = attends and width == last
        if attention:
            layers.append(depthwise(width, 7))  # the position encoding
        layers += [Block(width, expansion, attention) for _ in range(count)]
    head = gelu_convolution(last, 2 * last, 3, groups=last, excite=True)
    return nn.Sequential(*layers, head, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * last, 1000))


def gelu_convolution(
    channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1, excite: bool = False
) -> nn.Sequential:
    """As MobileOne's, with GELU."""
    return convolution(channels, out, kernel, stride, groups, excite, activation=nn.GELU)


def depthwise(channels: int, kernel: int) -> nn.Conv2d:
    """A depthwise convolution that keeps the size."""
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)


class Block(nn.Module):
    """Mixes places, by attention or a depthwise convolution, then channels; `[B, C, H, W]` to the same."""

    def __init__(self, channels: int, expansion: int, attention: bool) -> None:
        super().__init__()
        self.mixer = Attention(channels) if attention else depthwise(channels, 3)
        self.feed_forward = nn.Sequential(
            depthwise(channels, 7),
            nn.Conv2d(channels, expansion * channels, 1),
            nn.GELU(),
            nn.Conv2d(expansion * channels, channels, 1),
        )
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.mixer(x)  # attention adds its input itself, the convolution has it merged into its weights
        return x + self.scale * self.feed_forward(x)


class Attention(nn.Module):
    """`x + scale * attention(norm(x))` over the places of `[B, C, H, W]`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        places = self.norm(x).flatten(2).transpose(1, 2)
        parts = self.qkv(places).chunk(3, dim=2)
        q, k, v = (part.unflatten(2, (-1, HEAD_CHANNELS)).transpose(1, 2) for part in parts)
        weights = ((q * HEAD_CHANNELS**-0.5) @ k.transpose(2, 3)).softmax(dim=-1)
        attended = self.proj((weights @ v).transpose(1, 2).flatten(2))
        return x + self.scale * attended.transpose(1, 2).reshape(x.shape)
