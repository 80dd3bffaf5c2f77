"""The weights that a distillation starts from, chosen for runs of few steps.

PyTorch's default leaves a third of a signal's variance at every convolution and adds random biases, so that
a decoder of some forty convolutions starts out blind to its latent: narrowed designs still decode one grey
after 80 steps. Here variance is kept (LeCun et al., Efficient BackProp, 1998), biases are zero and residual
branches start at zero (Zhang et al., Fixup, ICLR 2019), so that a decoder starts as its shortcuts.
"""

from __future__ import annotations

import math

from torch import nn

from search_space.decoder import Decoder, ResidualBlock

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_OUTPUT = 0.1  # standard deviation of the first output, whose range is -1..1


def initialise(decoder: Decoder) -> Decoder:
    """Draws the weights of every convolution anew, by torch's random numbers."""
    for module in decoder.modules():
        if isinstance(module, _CONVOLUTIONS):
            inputs = module.weight.numel() / module.out_channels
            if module.transposed:  # strides spread the kernel over as many outputs
                inputs /= math.prod(module.stride)
            nn.init.normal_(module.weight, std=inputs**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in decoder.modules():
        if isinstance(module, ResidualBlock):
            last = [part for part in module.conv2.modules() if isinstance(part, _CONVOLUTIONS)][-1]
            nn.init.zeros_(last.weight)
    decoder.conv_out.conv.weight.data.mul_(_OUTPUT)
    return decoder
