"""MobileOne (arXiv 2206.04040) in its inference form: a chain of depthwise and pointwise convolutions."""

from __future__ import annotations

from torch import Tensor, nn

BLOCKS = (2, 8, 10, 1)
WIDTHS = (64, 128, 256, 512)
# Variant: multiples of the widths, and how many of a stage's last blocks have squeeze-excitation (table 2).
VARIANTS: dict[str, tuple[tuple[float, ...], tuple[int, ...]]] = {
    "s0": ((0.75, 1.0, 1.0, 2.0), (0, 0, 0, 0)),
    "s1": ((1.5, 1.5, 2.0, 2.5), (0, 0, 0, 0)),
    "s2": ((1.5, 2.0, 2.5, 4.0), (0, 0, 0, 0)),
    "s3": ((2.0, 2.5, 3.0, 4.0), (0, 0, 0, 0)),
    "s4": ((3.0, 3.5, 3.5, 4.0), (0, 0, 5, 1)),
}


def mobileone(variant: str) -> nn.Sequential:
    """MobileOne-`variant`: images `[B, 3, H, W]` to `[B, 1000]`; published at 224 x 224."""
    multiples, with_excitation = VARIANTS[variant]
    channels = min(64, int(64 * multiples[0]))
    layers: list[nn.Module] = [convolution(3, channels, 3, stride=2)]
    for width, multiple, blocks, excited in zip(WIDTHS, multiples, BLOCKS, with_excitation, strict=True):
        for block in range(blocks):
            out, stride = int(width * multiple), 2 if block == 0 else 1
            excite = block >= blocks - excited
            layers.append(convolution(channels, channels, 3, stride, groups=channels, excite=excite))
            layers.append(convolution(channels, out, 1, excite=excite))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


def convolution(
    channels: int,
    out: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    excite: bool = False,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """What a reparameterised block becomes: one convolution, squeeze-excitation where asked, activation."""
    layers: list[nn.Module] = [nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups)]
    if excite:
        layers.append(SqueezeExcitation(out))
    return nn.Sequential(*layers, activation())


class SqueezeExcitation(nn.Module):
    """Scales the channels of `[B, C, H, W]` by what their means say, through a sixteenth of the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 16, 1)
        self.excite = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.excite(self.squeeze(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()
        return x * weights
