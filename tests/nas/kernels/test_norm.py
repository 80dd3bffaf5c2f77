"""Norm, activation and padding in one against the decoder's own operators, in double precision."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search_space.frames import pad_time

ACTIVATIONS = {"relu": functional.relu, "silu": functional.silu, "none": lambda clip: clip}


def _norm(clip: Tensor, norm: str, eps: float) -> Tensor:
    if norm == "none":
        return clip
    if norm == "layer":
        return functional.layer_norm(clip.movedim(1, -1), clip.shape[1:2], eps=eps).movedim(-1, 1)
    return clip * torch.rsqrt(clip.square().mean(dim=1, keepdim=True) + eps)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 5e-3)])
@pytest.mark.parametrize("channels", [6, 24, 96])
@pytest.mark.parametrize(
    ("norm", "activation", "causal"),
    [("rms", "silu", True), ("rms", "relu", False), ("layer", "none", False), ("none", "none", True)],
)
def test_is_the_same_as_apart(
    norm: str, activation: str, causal: bool, channels: int, dtype: torch.dtype, tolerance: float
) -> None:
    from nas.kernels.norm import norm_activate

    torch.manual_seed(0)
    padding = (4, 0) if causal else (2, 2)
    clip = torch.randn(2, channels, 3, 9, 7).cuda().to(dtype).requires_grad_()
    computed, itself = norm_activate(clip, norm, activation, 1e-6, padding)
    gradients = torch.randn_like(computed), torch.randn_like(clip)
    (of_clip,) = torch.autograd.grad((computed, itself), clip, gradients)

    exact_clip = clip.detach().double().requires_grad_()
    exact = pad_time(ACTIVATIONS[activation](_norm(exact_clip, norm, 1e-6)), 5, causal)
    doubled = [gradient.double() for gradient in gradients]
    (wanted,) = torch.autograd.grad((exact, exact_clip * 1), exact_clip, doubled)
    for ours, theirs in ((computed, exact), (of_clip, wanted)):
        assert torch.linalg.vector_norm(ours - theirs) < tolerance * torch.linalg.vector_norm(theirs)
