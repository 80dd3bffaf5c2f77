"""The form in which a decoder's blocks are computed while it is trained: the fastest on its device."""

from __future__ import annotations

from importlib.util import find_spec

from torch import nn

from nas.channels_last import compute_channels_last
from nas.depthwise import compute_framewise


def training_form(decoder: nn.Module) -> nn.Module:
    """Has a decoder compute its blocks by the kernels that suit its device; parameters and names stay.

    On CUDA those take Triton, which comes with PyTorch's CUDA builds for Linux.
    """
    if next(decoder.parameters()).is_cuda and find_spec("triton") is None:
        return compute_framewise(decoder)
    return compute_channels_last(decoder)
