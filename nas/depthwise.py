"""Depthwise 3D convolutions computed frame by frame, for training.

PyTorch's depthwise 3D kernels are slow, backward above all: with 7x7x7 kernels throughout, the published
design narrowed to an eighth takes 4.7 s of one CPU core a step with them and 1.8 s this way.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FramewiseDepthwise(nn.Conv3d):
    """A depthwise `Conv3d` unpadded in time, as a sum of 2D convolutions, one a frame of its kernel."""

    def forward(self, input: Tensor) -> Tensor:
        """`[B, C, T + k - 1, H, W]` to `[B, C, T, H, W]`; the same numbers, in another order of summing."""
        batch, channels, padded, height, width = input.shape
        kernel = self.kernel_size[0]
        time = padded - kernel + 1
        frames = input.permute(0, 2, 3, 4, 1).contiguous()  # channels last is what 2D kernels are fastest at
        summed: Tensor | None = None
        for offset in range(kernel):
            here = frames[:, offset : offset + time].reshape(batch * time, height, width, channels)
            part = functional.conv2d(
                here.permute(0, 3, 1, 2),
                self.weight[:, :, offset],
                self.bias if offset == 0 else None,
                padding=self.padding[1:],
                groups=channels,
            )
            summed = part if summed is None else summed + part
        assert summed is not None
        return summed.reshape(batch, time, channels, height, width).transpose(1, 2)


def compute_framewise(decoder: nn.Module) -> nn.Module:
    """Has every depthwise 3D convolution of a module computed frame by frame; parameters and names stay."""
    for module in decoder.modules():
        if type(module) is nn.Conv3d and module.groups > 1 and module.kernel_size[0] > 1:
            module.__class__ = FramewiseDepthwise
    return decoder
