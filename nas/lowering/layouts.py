"""The two layouts of a clip on a device, and the blocks that change one into the other.

"clip" is [1, C, T, H, W], which 3D convolutions need. "frames" is [T, C, H, W], all that the Neural Engine
takes. Channels are dimension 1 in both, so norms and activations are the same code. A change of layout is a
block of its own, or ends one: inside a chain of blocks of one layout there is no permutation that coremltools
could cancel against one of the next block, and so the costs of blocks add.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

Layout = Literal["clip", "frames"]


class LoweredBlock(nn.Module):
    """A block of a lowered decoder: maps a tensor in layout `takes` to one in layout `gives`."""

    takes: Layout
    gives: Layout


class ToFrames(LoweredBlock):
    """[1, C, T, H, W] -> [T, C, H, W]. The permutation itself has four axes."""

    takes: Layout = "clip"
    gives: Layout = "frames"

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return to_frames(clip)


class ToClip(LoweredBlock):
    """[T, C, H, W] -> [1, C, T, H, W]."""

    takes: Layout = "frames"
    gives: Layout = "clip"

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.unsqueeze(0).transpose(1, 2)


def to_frames(clip: torch.Tensor) -> torch.Tensor:
    """[1, C, T, H, W] -> [T, C, H, W]."""
    return clip.reshape(clip.shape[1:]).transpose(0, 1)
