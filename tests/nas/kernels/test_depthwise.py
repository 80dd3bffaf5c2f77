"""The depthwise kernel against PyTorch's convolution in double precision."""

import pytest
import torch
from torch import nn


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 5e-3)])
@pytest.mark.parametrize("channels", [6, 12, 40])
@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_is_the_same_convolution(kernel: int, channels: int, dtype: torch.dtype, tolerance: float) -> None:
    from nas.kernels.depthwise import depthwise_conv3d

    torch.manual_seed(0)
    edge = kernel // 2
    convolution = (
        nn.Conv3d(channels, channels, kernel, padding=(0, edge, edge), groups=channels).cuda().to(dtype)
    )
    clip = torch.randn(2, channels, 3 + kernel, 19, 70).cuda().to(dtype).requires_grad_()
    computed = depthwise_conv3d(clip, convolution.weight, convolution.bias)
    gradient = torch.randn_like(computed)
    gradients = torch.autograd.grad(computed, [clip, *convolution.parameters()], gradient)

    convolution, exact_clip = convolution.double(), clip.detach().double().requires_grad_()
    exact = convolution(exact_clip)
    wanted = torch.autograd.grad(exact, [exact_clip, *convolution.parameters()], gradient.double())
    for ours, theirs in zip((computed, *gradients), (exact, *wanted), strict=True):
        assert torch.linalg.vector_norm(ours - theirs) < tolerance * torch.linalg.vector_norm(theirs)
