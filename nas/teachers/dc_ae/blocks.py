"""The blocks of Video DC-AE: residual convolutions, linear attention, and resampling with a shortcut."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_CHANNELS = 32
EXPANSION = 4  # of the gated feed-forward


class Chain(nn.Module):
    """Modules one after the other."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.op_list = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        for module in self.op_list:
            x = module(x)
        return x


class ChannelRMSNorm(nn.Module):
    """Divides by the root mean square over channels at each place of `[B, C, T, H, W]`; scale and shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x / torch.sqrt(x.square().mean(dim=1, keepdim=True) + 1e-5)
        return x * self.weight.view(1, -1, 1, 1, 1) + self.bias.view(1, -1, 1, 1, 1)


class Convolution(nn.Module):
    """A convolution, padded with zeros on both sides, then optionally a norm and SiLU."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: tuple[int, int, int] = (1, 1, 1),
        groups: int = 1,
        bias: bool = True,
        norm: bool = False,
        silu: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv3d(
            channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups, bias=bias
        )
        self.norm = ChannelRMSNorm(out_channels) if norm else nn.Identity()
        self.act = nn.SiLU() if silu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class ResidualConvolutions(nn.Module):
    """`x + norm(conv(silu(conv(x))))`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first = Convolution(channels, channels, silu=True)
        second = Convolution(channels, channels, bias=False, norm=True)
        self.main = nn.ModuleDict({"conv1": first, "conv2": second})

    def forward(self, x: Tensor) -> Tensor:
        return x + self.main["conv2"](self.main["conv1"](x))


class AttentionBlock(nn.Module):
    """Linear attention over the whole clip, then a gated feed-forward, each added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.context_module = nn.ModuleDict({"main": LinearAttention(channels)})
        self.local_module = nn.ModuleDict({"main": GatedFeedForward(channels)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.context_module["main"](x)
        return x + self.local_module["main"](x)


class LinearAttention(nn.Module):
    """ReLU linear attention at two scales (EfficientViT, arXiv 2205.14756): linear in `T * H * W`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        total = 3 * channels  # queries, keys and values of a head lie beside each other
        self.qkv = Convolution(channels, total, 1, bias=False)
        around = nn.Conv3d(total, total, 5, padding=2, groups=total, bias=False)
        mixed = nn.Conv3d(total, total, 1, groups=total // HEAD_CHANNELS, bias=False)
        self.aggreg = nn.ModuleList([nn.Sequential(around, mixed)])
        self.proj = Convolution(2 * channels, channels, 1, bias=False, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(x)
        heads = torch.cat([qkv, self.aggreg[0](qkv)], dim=1).flatten(2)
        q, k, v = heads.unflatten(1, (-1, 3 * HEAD_CHANNELS)).chunk(3, dim=2)  # [B, heads, 32, T * H * W]
        q, k = F.relu(q), F.relu(k)
        v = F.pad(v, (0, 0, 0, 1), value=1.0)  # a channel of ones sums up the weights
        attended = (v @ k.transpose(-1, -2)) @ q
        attended = attended[:, :, :-1] / (attended[:, :, -1:] + 1e-15)
        return self.proj(attended.flatten(1, 2).unflatten(2, x.shape[2:]))


class GatedFeedForward(nn.Module):
    """Widens, convolves each channel, gates one half by the other and narrows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = 2 * EXPANSION * channels
        self.inverted_conv = Convolution(channels, inner, 1, silu=True)
        self.depth_conv = Convolution(inner, inner, groups=inner)
        self.point_conv = Convolution(inner // 2, channels, 1, bias=False, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.depth_conv(self.inverted_conv(x)).chunk(2, dim=1)
        return self.point_conv(x * F.silu(gate))


class NearestConvolution(nn.Module):
    """Repeats frames and pixels by `scale`, then convolves."""

    def __init__(self, channels: int, out_channels: int, scale: Sequence[int]) -> None:
        super().__init__()
        self.scale = tuple(scale)
        self.conv = Convolution(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=_of_clip(self.scale, x), mode="nearest"))


class Averaging(nn.Module):
    """`main`, plus its input with frames and pixels unshuffled into channels and those averaged in groups."""

    def __init__(self, channels: int, out_channels: int, scale: Sequence[int], main: nn.Module) -> None:
        super().__init__()
        if channels * math.prod(scale) % out_channels:
            raise ValueError(f"{channels} channels can't be averaged to {out_channels} at a scale of {scale}")
        self.out_channels = out_channels
        self.scale = tuple(scale)
        self.main = main

    def forward(self, x: Tensor) -> Tensor:
        time, height, width = _of_clip(self.scale, x)
        parts = x.unflatten(4, (-1, width)).unflatten(3, (-1, height)).unflatten(2, (-1, time))
        unshuffled = parts.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)
        return self.main(x) + unshuffled.unflatten(1, (self.out_channels, -1)).mean(dim=2)


class Duplicating(nn.Module):
    """`main`, plus its input with channels repeated and then shuffled into frames and pixels."""

    def __init__(self, channels: int, out_channels: int, scale: Sequence[int], main: nn.Module) -> None:
        super().__init__()
        self.channels = channels
        self.out_channels = out_channels
        self.scale = tuple(scale)
        self.main = main

    def forward(self, x: Tensor) -> Tensor:
        time, side, _ = _of_clip(self.scale, x)
        channels = torch.arange(self.out_channels * time * side * side, device=x.device)
        repeated = x.index_select(1, channels * self.channels // len(channels))
        if time == 1:
            shuffled = F.pixel_shuffle(repeated.transpose(1, 2), side).transpose(1, 2)
        else:
            parts = repeated.unflatten(1, (self.out_channels, time, side, side))
            shuffled = parts.permute(0, 1, 5, 2, 6, 3, 7, 4).flatten(6, 7).flatten(4, 5).flatten(2, 3)
        return self.main(x) + shuffled


def _of_clip(scale: tuple[int, ...], x: Tensor) -> tuple[int, ...]:
    """`scale` for the clip `x` `[B, C, T, H, W]`: a single frame stays one."""
    return scale if x.shape[2] > 1 else (1, *scale[1:])
