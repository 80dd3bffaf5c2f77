"""Depthwise 3D convolutions computed frame by frame, for training on CUDA where our own kernels don't serve.

PyTorch's depthwise 3D kernels are slow there, backward above all; its 2D ones aren't.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FramewiseDepthwise(nn.Conv3d):
    """A depthwise `Conv3d` unpadded in time, as a sum of 2D convolutions, one a frame of its kernel."""

    def forward(self, input: Tensor) -> Tensor:
        """`[B, C, T + k - 1, H, W]` to `[B, C, T, H, W]`; the same numbers, in another order of summing."""
        batch, _, padded, _, _ = input.shape
        kernel = self.kernel_size[0]
        frames = input.transpose(1, 2)
        summed: Tensor | None = None
        for offset in range(kernel):
            here = frames[:, offset : padded - kernel + 1 + offset].flatten(0, 1)
            part = functional.conv2d(
                here,
                self.weight[:, :, offset],
                self.bias if offset == 0 else None,
                padding=self.padding[1:],
                groups=self.groups,
            )
            summed = part if summed is None else summed + part
        assert summed is not None
        return summed.unflatten(0, (batch, -1)).transpose(1, 2)


def compute_framewise(decoder: nn.Module) -> nn.Module:
    """Has every depthwise 3D convolution of a module computed frame by frame; parameters and names stay."""
    for module in decoder.modules():
        if type(module) is nn.Conv3d and module.groups > 1 and module.kernel_size[0] > 1:
            module.__class__ = FramewiseDepthwise
    return decoder
