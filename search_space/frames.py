"""A clip as a batch of frames and back, and what stands before its first frame and after its last.

Clips are [B, C, T, H, W], frames [B*T, C, H, W]. No tensor here has more than five axes, which is all that
Core ML takes. After a 2D operator the clip is a view of frame-major memory, so that the next one folds it
for free.
"""

import torch


def fold_frames(clip: torch.Tensor) -> torch.Tensor:
    """[B, C, T, H, W] -> [B*T, C, H, W]."""
    batch, channels, time, height, width = clip.shape
    return clip.transpose(1, 2).reshape(batch * time, channels, height, width)


def unfold_frames(frames: torch.Tensor, batch: int) -> torch.Tensor:
    """[B*T, C, H, W] -> [B, C, T, H, W]."""
    _, channels, height, width = frames.shape
    return frames.reshape(batch, -1, channels, height, width).transpose(1, 2)


def pad_time(clip: torch.Tensor, kernel_size: int, causal: bool) -> torch.Tensor:
    """Repeats border frames for a kernel over so many: [B, C, T, ...] -> [B, C, T + kernel_size - 1, ...].

    Half of them stand before the first frame and half after the last or, causal, all before the first.
    """
    if kernel_size == 1:
        return clip
    before = kernel_size - 1 if causal else (kernel_size - 1) // 2
    after = 0 if causal else before
    return torch.cat([clip[:, :, :1]] * before + [clip] + [clip[:, :, -1:]] * after, dim=2)
