"""The second phase's adversary: a 3D patch discriminator, its losses and their adaptive weight.

The discriminator is the one that Turbo-VAED's code uses (arXiv 2508.09136), a 3D form of PatchGAN (Isola et
al., CVPR 2017); hinge losses and the adaptive weight are VQGAN's (Esser et al., CVPR 2021).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2
_MOST = 8  # times the first layer's channels
_TIME_HALVED = 2  # layers, the first ones


class PatchDiscriminator(nn.Module):
    """One logit `[B, 1, T', H', W']` for each patch of clips `[B, 3, T, H, W]`: above 0 for real ones.

    Its batch norm always takes the statistics of the batch at hand and keeps none, since it is never used for
    anything but training.
    """

    def __init__(self, width: int = 64, layers: int = 4) -> None:
        """`layers` layers halve height and width, the first two of them also the number of frames."""
        super().__init__()
        parts: list[nn.Module] = [nn.Conv3d(3, width, 3, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
        channels = width
        for layer in range(1, layers + 1):
            wider = width * min(2**layer, _MOST)
            stride = 1 if layer == layers else (2 if layer < _TIME_HALVED else 1, 2, 2)
            parts += [
                nn.Conv3d(channels, wider, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm3d(wider, track_running_stats=False),
                nn.LeakyReLU(_SLOPE),
            ]
            channels = wider
        self.main = nn.Sequential(*parts, nn.Conv3d(channels, 1, 3, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm3d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, real: Tensor, decoded: Tensor) -> Tensor:
        """What the discriminator lowers: the hinge loss of its logits of real clips and of decoded ones."""
        real, decoded = self.main(real), self.main(decoded)
        return 0.5 * (functional.relu(1 - real.float()).mean() + functional.relu(1 + decoded.float()).mean())

    def generator_loss(self, decoded: Tensor) -> Tensor:
        """What the student lowers: the negative mean of the logits of what it decodes."""
        return -self.main(decoded).float().mean()


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """The ratio of both losses' gradient norms at the decoder's last layer, at most 1e4.

    Args:
        reconstruction: the loss without adversary, a scalar of a graph that is kept.
        adversarial: the generator's loss, likewise.
        last: the weight of the decoder's last convolution.
    """
    (ours,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (theirs,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    return (ours.norm() / (theirs.norm() + 1e-4)).clamp(0, 1e4).detach()
