"""The second phase's adversary."""

import pytest
import torch
from torch import nn

from nas.training.adversary import PatchDiscriminator, adaptive_weight


def test_judges_patches_and_learns_to_tell_clips_apart() -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=4, layers=3)
    real, decoded = torch.rand(2, 3, 9, 32, 32), torch.rand(2, 3, 9, 32, 32).round()
    assert discriminator.main(real).shape == (2, 1, 3, 4, 4)
    optimiser = torch.optim.Adam(discriminator.parameters(), 1e-2)
    losses = []
    for _ in range(10):
        loss = discriminator(real, decoded)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(1, abs=0.2)
    assert losses[-1] < 0.5
    assert discriminator.generator_loss(decoded) > discriminator.generator_loss(real)


def test_the_published_discriminator_has_the_published_size() -> None:
    # Counted by hand from the published description: 3x3x3 convolutions 3-64-128-256-512-512-1.
    widths = [3, 64, 128, 256, 512, 512]
    convolutions = sum(27 * a * b for a, b in zip(widths, [*widths[1:], 1], strict=True))
    biases_and_norms = 64 + 2 * (128 + 256 + 512 + 512) + 1
    parameters = sum(weight.numel() for weight in PatchDiscriminator().parameters())
    assert parameters == convolutions + biases_and_norms


def test_the_adaptive_weight_is_the_ratio_of_gradient_norms() -> None:
    last = nn.Parameter(torch.tensor([3.0, 4.0]))
    reconstruction, adversarial = (6 * last).sum(), last.square().sum()
    weight = adaptive_weight(reconstruction, adversarial, last)
    assert weight == pytest.approx((6 * 2**0.5) / 10, rel=1e-4)
    assert adaptive_weight(1e9 * reconstruction, adversarial, last) == 1e4
