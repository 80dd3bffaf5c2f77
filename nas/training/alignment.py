"""Feature distillation: a student's block features, through a head each, against the teacher's.

A head is two 1x1x1 convolutions (Turbo-VAED, arXiv 2508.09136). Where the teacher's feature is larger by
whole factors in time or space, the head puts out that many times the channels, which are woven into time and
pixel-shuffled into space, as the paper does; where it is smaller, or no whole multiple, what the head puts
out is averaged over areas to its size. So any block can be compared with any.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class FeatureHead(nn.Module):
    """From a student's feature to a teacher's channels and size."""

    def __init__(self, student: torch.Size, teacher: torch.Size) -> None:
        """Both are shapes `[B, C, T, H, W]` of features of the same clip."""
        super().__init__()
        self.by_time = _factor_in_time(student[2], teacher[2])
        by_height, by_width = teacher[3] // student[3], teacher[4] // student[4]
        self.by_space = by_height if by_height == by_width and by_height > 1 else 1
        channels = teacher[1] * self.by_time * self.by_space**2
        self.convolutions = nn.Sequential(
            nn.Conv3d(student[1], channels, 1),
            nn.Conv3d(channels, channels, 1),
        )

    def forward(self, feature: Tensor, size: torch.Size) -> Tensor:
        """`[B, C, t, h, w]` to `[B, C', T, H, W]`, where `size` is the teacher's `(T, H, W)`."""
        projected = self.convolutions(feature)
        if self.by_time > 1:
            projected = _weave_time(projected, self.by_time)[
                :, :, -size[0] :
            ]  # causal: the first frame is one
        if self.by_space > 1:
            batch = projected.shape[0]
            frames = functional.pixel_shuffle(projected.transpose(1, 2).flatten(0, 1), self.by_space)
            projected = frames.unflatten(0, (batch, -1)).transpose(1, 2)
        if projected.shape[2:] != size:
            projected = functional.interpolate(projected, size=tuple(size), mode="area")
        return projected


def feature_loss(projected: Tensor, feature: Tensor, relative: bool) -> Tensor:
    """Mean squared error of one pair.

    Args:
        projected: the student's, through its head, `[B, C, T, H, W]`.
        feature: the teacher's, of the same shape.
        relative: divide by the mean square of the teacher's feature.
    """
    feature = feature.float()
    error = functional.mse_loss(projected.float(), feature)
    return error / feature.square().mean().clamp(min=1e-12) if relative else error


def _factor_in_time(student: int, teacher: int) -> int:
    """How many times the student's frames the teacher's are: f frames for each, or all but f - 1 of them."""
    if teacher <= student:
        return 1
    if teacher % student == 0:
        return teacher // student
    if student > 1 and (teacher - 1) % (student - 1) == 0:
        return (teacher - 1) // (student - 1)
    return 1


def _weave_time(clip: Tensor, factor: int) -> Tensor:
    """`[B, factor * C, T, H, W]` to `[B, C, factor * T, H, W]`."""
    return clip.unflatten(1, (-1, factor)).transpose(2, 3).flatten(2, 3)
