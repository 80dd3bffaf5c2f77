"""The upsamplers of up blocks. Each doubles height and width and, where asked, time.

They map [B, in, T, H, W] to [B, out, T', 2H, 2W]. T' is T; where time is doubled it is 2T - 1, for the first
frame is dropped, or 2T where it is kept. Those that don't change the width have out equal to in.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from search_space.convolutions import DenseConvolution
from search_space.frames import fold_frames, unfold_frames
from search_space.operators import UPSAMPLERS


@dataclass(frozen=True)
class Upsampling:
    """What an upsampler is asked for by its stage; causal is for convolutions over time."""

    in_channels: int
    out_channels: int
    doubles_time: bool
    keeps_first_frame: bool
    causal: bool

    @property
    def time_stride(self) -> int:
        return 2 if self.doubles_time else 1

    def drop(self, clip: torch.Tensor) -> torch.Tensor:
        """Without the first frame, where it is to be dropped: [B, C, T, H, W] -> [B, C, T', H, W]."""
        # A slice that takes everything would stay in an exported graph, where Core ML can't read it.
        return clip[:, :, 1:] if self.doubles_time and not self.keeps_first_frame else clip


def build_upsampler(name: str, asked: Upsampling) -> nn.Module:
    """The upsampler of that name in `UPSAMPLERS`."""
    operator = UPSAMPLERS[name]
    module: nn.Module = globals()[operator.module](asked, **operator.options)
    return module


class ConvolvedShuffle(nn.Module):
    """The dense convolution that both pixel shuffles take their channels from: C*4*st of them."""

    def __init__(self, asked: Upsampling) -> None:
        super().__init__()
        self.asked = asked
        self.conv = DenseConvolution(
            asked.in_channels, asked.out_channels * 4 * asked.time_stride, causal=asked.causal
        )


class DecoupledPixelShuffle(ConvolvedShuffle):
    """Published: a dense convolution to C*4*st channels, woven into time, then shuffled within each frame.

    Channels are (C, sh, sw, st), the last innermost.
    """

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        batch, _, time, height, width = clip.shape
        woven = self.conv(clip)
        if self.asked.doubles_time:
            woven = woven.reshape(batch, -1, 2, time, height * width).transpose(2, 3)
            woven = woven.reshape(batch, -1, 2 * time, height, width)
        return unfold_frames(F.pixel_shuffle(fold_frames(self.asked.drop(woven)), 2), batch)


class PixelShuffle3d(ConvolvedShuffle):
    """A dense convolution to C*st*4 channels, shuffled into time and space at once, as LTX-Video does.

    Channels are (C, st, sh, sw), the last innermost. In one step that is a permutation of eight axes; here it
    is two of at most five, with the same result.
    """

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        batch, _, time, height, width = clip.shape
        frames = F.pixel_shuffle(fold_frames(self.conv(clip)), 2)
        if self.asked.doubles_time:
            frames = frames.reshape(batch * time, -1, 2, 4 * height * width).transpose(1, 2)
            frames = frames.reshape(batch * time * 2, -1, 2 * height, 2 * width)
        return self.asked.drop(unfold_frames(frames, batch))


class TransposedConvolution(nn.Module):
    """A transposed convolution of kernel (st, 4, 4) and stride (st, 2, 2).

    Run as a 2D one that makes st frames of each, since its windows don't overlap in time.
    """

    def __init__(self, asked: Upsampling) -> None:
        super().__init__()
        self.asked = asked
        self.conv = nn.ConvTranspose2d(
            asked.in_channels, asked.time_stride * asked.out_channels, 4, stride=2, padding=1
        )

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        batch, _, _, height, width = clip.shape
        frames = self.conv(fold_frames(clip)).reshape(-1, self.asked.out_channels, 2 * height, 2 * width)
        return self.asked.drop(unfold_frames(frames, batch))


class Interpolation(nn.Module):
    """Each frame resized (nearest or bilinear), then convolved 3x3 to the new width, as in Wan and in TAEHV.

    Time is doubled by repeating frames, or by a 1x1 convolution that grows the channels of one frame into two
    (TAEHV's TGrow). TAEHV grows after it has resized; a 1x1 convolution and a resize commute, so this order
    gives the same for a quarter of the work.
    """

    def __init__(self, asked: Upsampling, resize: str, grows_frames: bool = False) -> None:
        super().__init__()
        self.asked = asked
        self.resize = resize
        self.grow = nn.Conv2d(asked.in_channels, 2 * asked.in_channels, 1) if grows_frames else None
        self.conv = nn.Conv2d(asked.in_channels, asked.out_channels, 3, padding=1)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        batch, channels, _, height, width = clip.shape
        frames = fold_frames(clip)
        if self.asked.doubles_time:
            two = torch.cat([frames, frames], dim=1) if self.grow is None else self.grow(frames)
            frames = unfold_frames(two.reshape(-1, channels, height, width), batch)
            frames = fold_frames(self.asked.drop(frames))
        return unfold_frames(self.conv(F.interpolate(frames, scale_factor=2, mode=self.resize)), batch)
