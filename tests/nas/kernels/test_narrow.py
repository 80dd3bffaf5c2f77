"""The convolution between few channels against PyTorch's in double precision."""

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("kernel", [(3, 3, 3), (1, 3, 3)])
@pytest.mark.parametrize("channels", [(16, 16), (12, 3), (24, 32), (32, 8)])
def test_is_the_same_convolution(channels: tuple[int, int], kernel: tuple[int, int, int]) -> None:
    from nas.kernels.narrow import narrow_conv3d

    torch.manual_seed(0)
    convolution = nn.Conv3d(*channels, kernel, padding=(0, 1, 1)).cuda().bfloat16()
    clip = torch.randn(2, channels[0], 4, 19, 23).cuda().bfloat16().requires_grad_()
    computed = narrow_conv3d(clip, convolution.weight, convolution.bias)
    gradient = torch.randn_like(computed)
    gradients = torch.autograd.grad(computed, [clip, *convolution.parameters()], gradient)

    convolution, exact_clip = convolution.double(), clip.detach().double().requires_grad_()
    exact = convolution(exact_clip)
    wanted = torch.autograd.grad(exact, [exact_clip, *convolution.parameters()], gradient.double())
    for ours, theirs in zip((computed, *gradients), (exact, *wanted), strict=True):
        # bf16 keeps 8 bits; what is summed is summed in fp32
        assert torch.linalg.vector_norm(ours - theirs) < 5e-3 * torch.linalg.vector_norm(theirs)
