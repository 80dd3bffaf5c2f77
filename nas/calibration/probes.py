"""Probes: single operators and blocks whose measured times make the figures of a device profile identifiable.

A probe's name says what it is, `OPERATOR-INxOUT-TxHxW`: `convolution3d-64x64-9x128x128` maps
[1, 64, 9, 128, 128] to as many channels. Sizes are those that meet an operator in a decoder for a clip, so
that nothing has to be extrapolated to price one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from search_space.convolutions import DenseConvolution, SpatialConvolution
from search_space.decoder import ChannelLayerNorm, OutputConvolution, PatchUpsampler, ResidualBlock, rms_norm
from search_space.errors import UserError
from search_space.frames import fold_frames, pad_time, unfold_frames
from search_space.operators import CONVOLUTIONS, UPSAMPLERS
from search_space.upsamplers import Upsampling, build_upsampler


class Silu(nn.Module):
    """The activation alone, [B, C, T, H, W] to the same."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return F.silu(clip)


class ChannelMean(nn.Module):
    """Mean over the channels, [B, C, T, H, W] to [B, 1, T, H, W]."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return clip.mean(dim=1, keepdim=True)


class RmsNorm(nn.Module):
    """The norm of every residual block, [B, C, T, H, W] to the same."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return rms_norm(clip)


class TimePadding(nn.Module):
    """Border frames repeated for a kernel of 3, [B, C, T, H, W] to [B, C, T + 2, H, W]."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return pad_time(clip, 3, causal=False)


class Folding(nn.Module):
    """Written out frame by frame, [B, C, T, H, W] to [B*T, C, H, W]."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return fold_frames(clip).contiguous()


class FrameShuffle(nn.Module):
    """A 2x pixel shuffle in each frame, [B, C, T, H, W] to [B, C/4, T, 2H, 2W]."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return unfold_frames(F.pixel_shuffle(fold_frames(clip), 2), clip.shape[0])


class Resizing(nn.Module):
    """Each frame resized to twice the edge, [B, C, T, H, W] to [B, C, T, 2H, 2W]."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        frames = F.interpolate(fold_frames(clip), scale_factor=2, mode=self.mode)
        return unfold_frames(frames, clip.shape[0])


def _depthwise(kernel_size: int) -> Callable[[int, int], nn.Module]:
    return lambda width, _: nn.Conv3d(width, width, kernel_size, padding=kernel_size // 2, groups=width)


def _residual(conv: str) -> Callable[[int, int], nn.Module]:
    return lambda inputs, outputs: ResidualBlock(inputs, outputs, conv, causal=False, norm_eps=1e-6)


def _upsampler(name: str, doubles_time: bool) -> Callable[[int, int], nn.Module]:
    return lambda inputs, outputs: build_upsampler(
        name, Upsampling(inputs, outputs, doubles_time, keeps_first_frame=False, causal=False)
    )


CONVOLUTION_PROBES: Mapping[str, Callable[[int, int], nn.Module]] = {
    "convolution2d": lambda inputs, outputs: SpatialConvolution(inputs, outputs, 3, causal=False),
    "convolution3d": DenseConvolution,
    "pointwise": lambda inputs, outputs: nn.Conv3d(inputs, outputs, 1),
}
DEPTHWISE_PROBES: Mapping[str, Callable[[int, int], nn.Module]] = {
    f"depthwise{kernel_size}": _depthwise(kernel_size) for kernel_size in (3, 5, 7)
}
BYTE_PROBES: Mapping[str, Callable[[int, int], nn.Module]] = {
    "silu": lambda *_: Silu(),
    "mean": lambda *_: ChannelMean(),
    "rms_norm": lambda *_: RmsNorm(),
    "layer_norm": lambda width, _: ChannelLayerNorm(width),
    "pad_time": lambda *_: TimePadding(),
    "fold": lambda *_: Folding(),
    "pixel_shuffle": lambda *_: FrameShuffle(),
    "nearest": lambda *_: Resizing("nearest"),
    "bilinear": lambda *_: Resizing("bilinear"),
}
BLOCK_PROBES: Mapping[str, Callable[[int, int], nn.Module]] = {
    **{f"residual_{conv}": _residual(conv) for conv in CONVOLUTIONS},
    **{f"{name}_upsampler": _upsampler(name, doubles_time=False) for name in UPSAMPLERS},
    **{f"{name}_upsampler_in_time": _upsampler(name, doubles_time=True) for name in UPSAMPLERS},
    "patch_upsampler": lambda width, _: PatchUpsampler(width),
    "output": lambda inputs, outputs: OutputConvolution(inputs, outputs),
}
PROBES = {**CONVOLUTION_PROBES, **DEPTHWISE_PROBES, **BYTE_PROBES, **BLOCK_PROBES}

# Widths met where a decoder with a compression of 4x8x8 has an eighth, a quarter, a half and all of the
# edge; then in and out channels where they differ.
WIDTHS = ((128, 192, 256, 512), (64, 96, 128, 256), (16, 32, 48, 64, 128), (8, 12, 16, 24, 32, 64))
CHANGES = ((512, 128), (256, 64), (128, 32), (64, 16))
UPSAMPLED = ((256, 256), (128, 128), (64, 64))
BYTE_WIDTHS = ((512,), (64, 128), (16, 64), (16, 64))


@dataclass(frozen=True)
class Probe:
    """One operator or block, named `OPERATOR-INxOUT-TxHxW`.

    Attributes:
        operator: one of `PROBES`.
        channels: in and out.
        size: frames, height and width of its input.
    """

    operator: str
    channels: tuple[int, int]
    size: tuple[int, int, int]

    @property
    def name(self) -> str:
        """What stands for it in a table of measurements."""
        return f"{self.operator}-{'x'.join(map(str, self.channels))}-{'x'.join(map(str, self.size))}"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """[1, C, T, H, W]."""
        return (1, self.channels[0], *self.size)

    def build(self) -> nn.Module:
        """The module, with PyTorch's default initialisation."""
        return PROBES[self.operator](*self.channels)


def parse_probe(name: str) -> Probe:
    """The probe of that name.

    Raises:
        UserError: where it names none.
    """
    match = re.fullmatch(r"(\w+)-(\d+)x(\d+)-(\d+)x(\d+)x(\d+)", name)
    if match is None or match[1] not in PROBES or 0 in map(int, match.groups()[1:]):
        raise UserError(f"probe {name!r}: a name is OPERATOR-INxOUT-TxHxW, as convolution3d-64x64-9x128x128")
    inputs, outputs, frames, height, width = map(int, match.groups()[1:])
    return Probe(match[1], (inputs, outputs), (frames, height, width))


def operator_probes(resolution: tuple[int, int], frames: int) -> list[Probe]:
    """Single operators at the sizes that a clip of `frames` frames of `resolution` (height, width) gives."""
    sizes = _sizes(resolution, frames)
    found = []
    for operator in CONVOLUTION_PROBES:
        for size, widths, change in zip(sizes, WIDTHS, CHANGES, strict=True):
            found += [Probe(operator, channels, size) for channels in (*((w, w) for w in widths), change)]
    for operator in DEPTHWISE_PROBES:
        for size, widths in zip(sizes, WIDTHS, strict=True):
            found += [Probe(operator, (width, width), size) for width in widths[::2]]
    for operator in BYTE_PROBES:
        for size, widths in zip(sizes, BYTE_WIDTHS, strict=True):
            if operator not in ("nearest", "bilinear", "pixel_shuffle") or size != sizes[-1]:
                found += [Probe(operator, (width, width), size) for width in widths]
    return found


def block_probes(resolution: tuple[int, int], frames: int) -> list[Probe]:
    """Blocks of decoders: residual blocks of every convolution, every upsampler, heads."""
    sizes = _sizes(resolution, frames)
    found = []
    for conv in CONVOLUTIONS:
        for size, widths, change in zip(sizes, WIDTHS, CHANGES, strict=True):
            same = [(width, width) for width in widths[::2]]
            found += [Probe(f"residual_{conv}", each, size) for each in (*same, change)]
    for name, operator in UPSAMPLERS.items():
        for size, channels, change in zip(sizes, UPSAMPLED, CHANGES, strict=False):
            across = change if operator.changes_width else channels
            if operator.without_time is None:
                found.append(Probe(f"{name}_upsampler", across, size))
            found.append(Probe(f"{name}_upsampler_in_time", across, size))
    found += [Probe("patch_upsampler", (width, width), sizes[-2]) for width in (32, 128)]
    found += [Probe("output", (width, 3), sizes[-1]) for width in (8, 16, 32, 64)]
    return found


def _sizes(resolution: tuple[int, int], frames: int) -> list[tuple[int, int, int]]:
    """Frames, height and width at the four stages of a decoder with a compression of 4x8x8."""
    times = [-(-(frames - 1) // 4) + 1]
    times += [2 * times[0] - 1, 4 * times[0] - 3, 4 * times[0] - 3]
    height, width = (-(-edge // 8) for edge in resolution)
    return [(time, height * scale, width * scale) for time, scale in zip(times, (1, 2, 4, 8), strict=True)]
