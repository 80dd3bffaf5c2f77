"""Scaling the streams of a lowered decoder by powers of two, so that fp16 holds them.

Every residual block norms what it reads, so training puts no limit on the residual stream itself: fp32 holds
it, and fp16 ends at 65,504. A stream is all that is added up after a linear map which starts it (the first
convolution, an upsampler, a residual block that changes the width). Where the convolutions that write it are
multiplied by one power of two, so is the stream: the norms that read it divide the scale out again (their eps
takes its square), identity shortcuts carry it, and the next linear map undoes it. In fp32 the video is the
same to rounding. The same holds for what lies between two convolutions inside a block.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from nas.lowering.blocks import (
    LoweredConvolution,
    LoweredOutput,
    LoweredPatchUpsampler,
    LoweredResidualBlock,
)
from nas.lowering.convolutions import ClipConvolution, FramesConvolution, TemporalConvolution
from nas.lowering.decoder import LoweredDecoder
from nas.lowering.layouts import LoweredBlock, ToClip, ToFrames
from nas.lowering.upsamplers import (
    InterpolationUpsampler,
    LoweredUpsampler,
    ShuffleUpsampler,
    TransposedUpsampler,
)
from search_space import DecoderConfig

# A sixteenth of what fp16 holds: latents that were not tried may give larger values.
LARGEST = 2.0**12

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_PIXELS = 64  # edge of the trial clips, where two rows of the latent aren't more
_MAGNITUDES = (1.0, 4.0)  # standard deviations: raw latents of published teachers stay below the second
_CLOSE = 0.05  # error in fp16, of the video's own standard deviation


def trial_latents(config: DecoderConfig) -> list[torch.Tensor]:
    """Latents [1, C, T, H, W] of tiny clips on which magnitudes are taken: normal noise of two strengths."""
    generator = torch.Generator().manual_seed(0)
    height, width = (max(_PIXELS // factor, 2) for factor in config.compression[1:])
    shape = (1, config.latent_channels, 2, height, width)
    return [size * torch.randn(shape, generator=generator) for size in _MAGNITUDES]


def fit_to_fp16(decoder: LoweredDecoder, latents: Iterable[torch.Tensor]) -> LoweredDecoder:
    """The decoder with every stream below `LARGEST` on these latents [1, C, T, H, W], equal in fp32.

    That is `decoder` itself where all are; else a copy.
    """
    seen = _largest_magnitudes(decoder, latents)
    if max(seen.values()) <= LARGEST:
        return decoder
    rescaled = copy.deepcopy(decoder)
    named = dict(decoder.named_modules())
    largest = {module: seen.get(named[name], 0.0) for name, module in rescaled.named_modules()}
    scale = 1.0
    for stream in _streams(rescaled.chain):
        entering, scale = scale, _power(max(_written(stream, largest)))
        for block in stream:
            _rescale_block(block, entering, scale, largest)
            entering = scale
    return rescaled


def fault_in_fp16(decoder: LoweredDecoder, latents: Iterable[torch.Tensor]) -> str | None:
    """What is wrong with the decoder's video in fp16 beside that in fp32, or None where they are close.

    Weights and the results of convolutions and blocks are rounded; what is between them, norms and
    activations, is safe by itself. (PyTorch's own fp16 is too slow on a processor.)
    """
    rounded = copy.deepcopy(decoder).half().float()
    for module in _watched(rounded):
        module.register_forward_hook(lambda module, given, result: result.half().float())
    for latent in latents:
        with torch.no_grad():
            video, in_fp16 = decoder(latent), rounded(latent.half().float())
        if not video.isfinite().all():
            return "its video is not finite even in fp32"
        if not in_fp16.isfinite().all():
            return "its video is not finite in fp16"
        error = float((in_fp16 - video).square().mean().sqrt() / video.std().clamp(min=1e-6))
        if error > _CLOSE:
            return f"its video in fp16 is {error:.0%} off"
    return None


def _watched(decoder: LoweredDecoder) -> list[nn.Module]:
    """Convolutions, sums of them, and blocks: what gives the tensors that are scaled."""
    kinds = (*_CONVOLUTIONS, TemporalConvolution, LoweredBlock)
    return [module for module in decoder.modules() if isinstance(module, kinds)]


def _largest_magnitudes(decoder: LoweredDecoder, latents: Iterable[torch.Tensor]) -> dict[nn.Module, float]:
    """Largest magnitude that each convolution and each block gives."""
    largest: dict[nn.Module, float] = {}

    def see(module: nn.Module, given: object, result: torch.Tensor) -> None:
        largest[module] = max(largest.get(module, 0.0), float(result.abs().max()))

    hooks = [module.register_forward_hook(see) for module in _watched(decoder)]
    try:
        with torch.no_grad():
            for latent in latents:
                decoder(latent)
    finally:
        for hook in hooks:
            hook.remove()
    return largest


def _streams(chain: Iterable[nn.Module]) -> list[list[nn.Module]]:
    """Blocks in a row that give one stream: the first starts it, the others carry it."""
    streams: list[list[nn.Module]] = []
    for block in chain:
        carries = isinstance(block, (ToFrames, ToClip)) or (
            isinstance(block, LoweredResidualBlock) and not block.changes_width
        )
        if not (carries and streams):
            streams.append([])
        streams[-1].append(block)
    return streams


def _written(stream: Iterable[nn.Module], largest: Mapping[nn.Module, float]) -> Iterable[float]:
    """Magnitudes of all that shares the stream's scale. A video, which is no stream, must keep its own."""
    for block in stream:
        if isinstance(block, LoweredOutput):
            yield 0.0
            return
        yield largest[block]
        if isinstance(block, LoweredResidualBlock):
            yield _of(_maps(block.conv2)[-1], largest)
            if block.changes_width:
                yield _of(_maps(block.conv_shortcut)[-1], largest)
        elif not isinstance(block, (ToFrames, ToClip)):
            yield _of(_maps(block)[-1], largest)


def _rescale_block(
    block: nn.Module, entering: float, leaving: float, largest: Mapping[nn.Module, float]
) -> None:
    if isinstance(block, LoweredResidualBlock):
        block.stream_scale = entering
        inner = _maps(block.conv1)
        block.inner_scale = _power(_of(inner[-1], largest))
        _rescale(inner, 1.0, block.inner_scale, largest)
        _rescale(_maps(block.conv2), 1.0, leaving, largest)
        if block.changes_width:
            block.norm3.stream_scale = entering
            _rescale(_maps(block.conv_shortcut), 1.0, leaving, largest)
    elif isinstance(block, (LoweredOutput, LoweredPatchUpsampler)):
        block.stream_scale = entering
        _rescale(_maps(block), 1.0, leaving, largest)
    elif isinstance(block, (LoweredConvolution, LoweredUpsampler)):
        _rescale(_maps(block), entering, leaving, largest)


def _maps(module: nn.Module) -> list[nn.Module]:
    """The linear maps that `module` applies one after the other, with nothing but moves between them."""
    if isinstance(module, FramesConvolution):
        return list(module.steps)
    if isinstance(module, ClipConvolution):
        return [module.conv] if module.pointwise is None else [module.conv, module.pointwise]
    if isinstance(module, InterpolationUpsampler):
        return [module.conv] if module.grow is None else [module.grow, module.conv]
    if isinstance(module, (LoweredConvolution, LoweredPatchUpsampler, ShuffleUpsampler, TransposedUpsampler)):
        return _maps(module.conv)
    return [module]


def _rescale(
    maps: Iterable[nn.Module], entering: float, leaving: float, largest: Mapping[nn.Module, float]
) -> None:
    """Maps in a row, which read a tensor of scale `entering`, give one of scale `leaving`."""
    *between, last = maps
    scales = [*(_power(_of(one, largest)) for one in between), leaving]
    for one, scale in zip((*between, last), scales, strict=True):
        for conv in one.modules():
            if isinstance(conv, _CONVOLUTIONS):
                conv.weight = nn.Parameter(conv.weight.detach() * (scale / entering))
                if conv.bias is not None:
                    conv.bias = nn.Parameter(conv.bias.detach() * scale)
        entering = scale


def _of(linear: nn.Module, largest: Mapping[nn.Module, float]) -> float:
    """Largest magnitude inside a linear map: of its result, and of the terms of a sum."""
    return max(largest.get(module, 0.0) for module in linear.modules())


def _power(largest: float) -> float:
    """The power of two, at most 1, that brings a magnitude below `LARGEST`."""
    if not math.isfinite(largest) or largest <= LARGEST:
        return 1.0
    return float(2.0 ** -math.ceil(math.log2(largest / LARGEST)))
