"""rFVD: the Fréchet distance between videos and their originals in the features of an I3D network.

The network (Carreira and Zisserman, CVPR 2017) is the TorchScript file that StyleGAN-V and most others
measure with; it runs code of its own, so its path is one that the user vouches for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_space.errors import UserError, first_line

FEATURES = 400  # of I3D: with fewer clips than that, the distance says little


class I3d:
    """Features of clips, by a TorchScript file's call `(clip, rescale, resize, return_features)`."""

    def __init__(self, path: Path, device: torch.device) -> None:
        """Loads the file, which may run any code.

        Raises:
            UserError: there is no such file, or it isn't TorchScript.
        """
        if not path.is_file():
            raise UserError(f"--i3d {path}: no such file; it should be I3D as TorchScript")
        try:
            self._network: Any = torch.jit.load(str(path), map_location=device).eval()
        except RuntimeError as error:
            raise UserError(f"--i3d {path}: not TorchScript ({first_line(error)})") from None
        self._device = device

    def __call__(self, clips: Tensor) -> Tensor:
        """`[B, F]` of clips `[B, 3, T, H, W]` in -1..1, as float64 on the CPU."""
        pixels = clips.to(self._device).clamp(-1, 1).add(1).mul(127.5)
        with torch.no_grad():
            return self._network(pixels, rescale=True, resize=True, return_features=True).double().cpu()


def frechet_distance(features: Tensor, originals: Tensor) -> float:
    """The distance of two normal distributions fitted to features (Unterthiner et al., arXiv 1812.01717).

    Args:
        features: `[N, F]`, N of 2 or more.
        originals: `[M, F]`.

    Returns:
        `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`, by the eigenvalues of S1 S2, which are real and not
        negative but for rounding.
    """
    means = features.mean(0), originals.mean(0)
    covariances = features.T.cov(), originals.T.cov()
    roots = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp(min=0).sqrt()
    traces = covariances[0].trace() + covariances[1].trace()
    return float((means[0] - means[1]).square().sum() + traces - 2 * roots.sum())
