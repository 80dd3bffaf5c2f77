"""A decoder's blocks computed for training: channels stay last in memory, and kernels are fused.

Tensor cores and oneDNN take channels-last clips as they are, a 1x1x1 convolution of one is a matrix product,
frames fold into the batch for free, and norm, activation and padding are one step. Each class here computes
what its base class of `search_space` does, up to rounding, from the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.block_kernels import Activation, as_autocast, depthwise_conv3d, norm_activate
from search_space.convolutions import (
    DenseConvolution,
    DepthwiseSeparableConvolution,
    FactoredConvolution,
    SpatialConvolution,
    TwoFrameConvolution,
)
from search_space.decoder import ChannelLayerNorm, OutputConvolution, PatchUpsampler, ResidualBlock
from search_space.frames import fold_frames, unfold_frames
from search_space.upsamplers import (
    DecoupledPixelShuffle,
    Interpolation,
    PixelShuffle3d,
    TransposedConvolution,
)

WIDEST = 32  # channels in or out, up to which `nas.kernels.narrow` is faster than cuDNN
_RMS_EPS = 1e-8  # the default of `search_space.decoder.rms_norm`


def compute_channels_last(decoder: nn.Module) -> nn.Module:
    """Has a decoder compute its blocks so, on CUDA by Triton's kernels; parameters and names stay.

    Convolution weights become channels-last in memory, which their shapes don't show.
    """
    for module in decoder.modules():
        module.__class__ = _CLASSES.get(type(module), type(module))
    for parameter in decoder.parameters():
        if parameter.dim() in _MEMORY_FORMATS:
            parameter.data = parameter.data.contiguous(memory_format=_MEMORY_FORMATS[parameter.dim()])
    return decoder


_MEMORY_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def _time_padding(kernel_size: int, causal: bool) -> tuple[int, int]:
    """How often `pad_time` repeats the first and the last frame."""
    return (kernel_size - 1, 0) if causal else ((kernel_size - 1) // 2,) * 2


def _pad_time(clip: Tensor, padding: tuple[int, int]) -> Tensor:
    """Repeats the first and the last frame: `[B, C, T, H, W]` to `[B, C, T + sum(padding), H, W]`."""
    return norm_activate(clip, "none", "none", 0.0, padding)[0] if any(padding) else clip


def _by_frame(operator: Callable[[Tensor], Tensor], clip: Tensor) -> Tensor:
    """A two-dimensional operator in each frame: `[B, in, T, H, W]` to `[B, out, T, H', W']`."""
    frames = fold_frames(clip.contiguous(memory_format=torch.channels_last_3d))
    return unfold_frames(operator(frames), clip.shape[0])


def _pointwise(convolution: nn.Conv2d | nn.Conv3d, clip: Tensor) -> Tensor:
    """A 1x1x1 convolution: `[B, in, T, H, W]` to `[B, out, T, H, W]`; on GPUs as a matrix product."""
    weight, bias = convolution.weight.flatten(1), convolution.bias
    if clip.is_cuda:
        return functional.linear(clip.movedim(1, -1), weight, bias).movedim(-1, 1)
    # Between few channels oneDNN's convolution takes half the time of the CPU's matrix product.
    return _by_frame(partial(functional.conv2d, weight=weight[..., None, None], bias=bias), clip)


def _convolve(convolution: nn.Conv2d | nn.Conv3d, clip: Tensor) -> Tensor:
    """A convolution of a clip that is padded in time, by the kernels that are fastest at its width."""
    if set(convolution.kernel_size) == {1}:
        return _pointwise(convolution, clip)
    is_narrow = max(convolution.in_channels, convolution.out_channels) <= WIDEST
    if is_narrow and clip.is_cuda and clip.dtype == torch.bfloat16:
        from nas.kernels.narrow import narrow_conv3d

        assert convolution.bias is not None
        weight = convolution.weight if convolution.weight.dim() == 5 else convolution.weight.unsqueeze(2)
        return narrow_conv3d(*as_autocast(clip, weight, convolution.bias))
    if isinstance(convolution, nn.Conv2d):
        return _by_frame(convolution, clip)
    convolved: Tensor = convolution(clip)
    return convolved


def _scale(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A factor and a summand for each channel of `[B, C, T, H, W]`."""
    clip, weight, bias = as_autocast(clip, weight, bias)  # else autocast computes in the widest of theirs
    return torch.addcmul(bias.view(-1, 1, 1, 1), clip, weight.view(-1, 1, 1, 1))


def _spread(clip: Tensor, order: str, time: int, space: int) -> Tensor:
    """Moves channels into time and space: `[B, C*t*s*s, T, H, W]` to `[B, C, t*T, s*H, s*W]`.

    `order` says how channels are laid out, the last letter innermost: c(hannel), t(ime), h(eight), w(idth).
    """
    batch, channels, frames, height, width = clip.shape
    sizes = {"c": channels // (time * space**2), "t": time, "h": space, "w": space}
    split = clip.movedim(1, -1).unflatten(-1, [sizes[letter] for letter in order])
    place = {letter: 4 + index for index, letter in enumerate(order)}
    woven = split.permute(0, 1, place["t"], 2, place["h"], 3, place["w"], place["c"])
    spread = woven.reshape(batch, frames * time, height * space, width * space, sizes["c"])
    return spread.movedim(-1, 1)


class _TimePadded(nn.Module):
    """A convolution that is called on a clip or, where the clip is padded in time already, as `convolve`."""

    @property
    def padding(self) -> tuple[int, int]:
        """How often the first and the last frame are to be repeated."""
        return 0, 0

    def convolve(self, padded: Tensor) -> Tensor:
        """`[B, in, T + sum(padding), H, W]` to `[B, out, T, H, W]`."""
        raise NotImplementedError

    def forward(self, clip: Tensor) -> Tensor:
        return self.convolve(_pad_time(clip, self.padding))


class _Dense(_TimePadded, DenseConvolution):
    @property
    def padding(self) -> tuple[int, int]:
        return _time_padding(self.conv.kernel_size[0], self.causal)

    def convolve(self, padded: Tensor) -> Tensor:
        return _convolve(self.conv, padded)


class _DepthwiseSeparable(_TimePadded, DepthwiseSeparableConvolution):
    @property
    def padding(self) -> tuple[int, int]:
        return _time_padding(self.depthwise_conv.kernel_size[0], self.causal)

    def convolve(self, padded: Tensor) -> Tensor:
        depthwise = self.depthwise_conv
        assert depthwise.bias is not None
        compute = _scale if depthwise.kernel_size == (1, 1, 1) else depthwise_conv3d
        return _pointwise(self.pointwise_conv, compute(padded, depthwise.weight, depthwise.bias))


class _Spatial(_TimePadded, SpatialConvolution):
    def convolve(self, padded: Tensor) -> Tensor:
        return _convolve(self.conv, padded)


class _TwoFrame(_TimePadded, TwoFrameConvolution):
    @property
    def padding(self) -> tuple[int, int]:
        return self.frames - 1, 0

    def convolve(self, padded: Tensor) -> Tensor:
        if self.frames == 1:
            return _convolve(self.conv, padded)
        return _convolve(self.conv, torch.cat([padded[:, :, 1:], padded[:, :, :-1]], dim=1))


class _Factored(_TimePadded, FactoredConvolution):
    def convolve(self, padded: Tensor) -> Tensor:
        clip = _convolve(self.spatial_conv, padded)
        if self.temporal_conv is None:
            return clip
        padded = _pad_time(clip, _time_padding(self.temporal_conv.kernel_size[0], self.causal))
        convolved: Tensor = self.temporal_conv(padded.flatten(3)).reshape(clip.shape)
        return convolved


class _ChannelLayerNorm(ChannelLayerNorm):
    def forward(self, clip: Tensor) -> Tensor:
        return _scale(norm_activate(clip, "layer", "none", self.eps)[0], self.weight, self.bias)


class _Residual(ResidualBlock):
    conv1: _TimePadded
    conv2: _TimePadded

    def forward(self, clip: Tensor) -> Tensor:
        first: Activation = "relu" if self.relu_first else "silu"
        hidden, clip = norm_activate(clip, "rms", first, _RMS_EPS, self.conv1.padding)
        hidden = self.conv1.convolve(hidden)
        hidden, _ = norm_activate(hidden, "rms", "silu", _RMS_EPS, self.conv2.padding)
        shortcut = self.conv_shortcut(self.norm3(clip)) if self.changes_width else clip
        return shortcut + self.conv2.convolve(hidden)


class _Patch(PatchUpsampler):
    def forward(self, clip: Tensor) -> Tensor:
        activated, _ = norm_activate(clip, "rms", "silu", _RMS_EPS)
        return _spread(_convolve(self.conv, activated), "cthw", 1, 2)


class _Output(_Dense, OutputConvolution):
    def forward(self, clip: Tensor) -> Tensor:
        return self.convolve(norm_activate(clip, "rms", "silu", _RMS_EPS, self.padding)[0])


class _DecoupledShuffle(DecoupledPixelShuffle):
    def forward(self, clip: Tensor) -> Tensor:
        return self.asked.drop(_spread(self.conv(clip), "chwt", self.asked.time_stride, 2))


class _Shuffle(PixelShuffle3d):
    def forward(self, clip: Tensor) -> Tensor:
        return self.asked.drop(_spread(self.conv(clip), "cthw", self.asked.time_stride, 2))


class _Transposed(TransposedConvolution):
    def forward(self, clip: Tensor) -> Tensor:
        wide = _by_frame(self.conv, clip)
        return self.asked.drop(_spread(wide, "tchw", self.asked.time_stride, 1))


class _Interpolation(Interpolation):
    def forward(self, clip: Tensor) -> Tensor:
        if self.asked.doubles_time:
            two = torch.cat([clip, clip], dim=1) if self.grow is None else _pointwise(self.grow, clip)
            clip = self.asked.drop(_spread(two, "tchw", 2, 1))
        resized = _by_frame(partial(functional.interpolate, scale_factor=2, mode=self.resize), clip)
        return _convolve(self.conv, resized)


_CLASSES: dict[type, type] = {
    DenseConvolution: _Dense,
    DepthwiseSeparableConvolution: _DepthwiseSeparable,
    SpatialConvolution: _Spatial,
    TwoFrameConvolution: _TwoFrame,
    FactoredConvolution: _Factored,
    ChannelLayerNorm: _ChannelLayerNorm,
    ResidualBlock: _Residual,
    PatchUpsampler: _Patch,
    OutputConvolution: _Output,
    DecoupledPixelShuffle: _DecoupledShuffle,
    PixelShuffle3d: _Shuffle,
    TransposedConvolution: _Transposed,
    Interpolation: _Interpolation,
}
