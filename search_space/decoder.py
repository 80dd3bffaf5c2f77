"""The decoder: latent [B, C, T, H, W] to video [B, 3, T', H', W'], Turbo-VAED (arXiv 2508.09136) and kin.

It reads from top to bottom. Parameter names are the published ones wherever the operators are, so that
published checkpoints load with strict=True and what is trained here loads in the published code.
"""

import torch
from torch import nn
from torch.nn import functional as F

from search_space.config import STAGE_NAMES, DecoderConfig, Stage
from search_space.convolutions import DenseConvolution, build_convolution
from search_space.frames import fold_frames, unfold_frames
from search_space.upsamplers import Upsampling, build_upsampler

VIDEO_CHANNELS = 3


def build_decoder(config: DecoderConfig) -> "Decoder":
    """The decoder of that design, with PyTorch's default initialisation."""
    return Decoder(config)


class Decoder(nn.Module):
    """A chain of blocks: `conv_in`, a middle stage, four up stages, an output head."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.stages[0].width
        self.conv_in = DenseConvolution(config.latent_channels, width, causal=config.is_causal())
        self.mid_block = StageBlocks(config, 0)
        self.up_blocks = nn.ModuleList(StageBlocks(config, index) for index in range(1, len(config.stages)))

        width = config.stages[-1].width
        if config.patch_size >= 2:
            self.upsampler2d_1 = PatchUpsampler(width)
            width //= 4
        if config.patch_size == 4:
            self.upsampler2d_2 = PatchUpsampler(width)
            width //= 4
        self.conv_out = OutputConvolution(width, VIDEO_CHANNELS, causal=config.is_causal())

    def stages(self) -> list[tuple[str, list[tuple[str, nn.Module]]]]:
        """The blocks of each part: `conv_in`, the five stages by their feature names, `head`."""
        parts: list[tuple[str, list[tuple[str, nn.Module]]]] = [("conv_in", [("conv_in", self.conv_in)])]
        prefixes = ["mid_block", *(f"up_blocks.{index}" for index in range(len(self.up_blocks)))]
        for name, prefix, stage in zip(STAGE_NAMES, prefixes, [self.mid_block, *self.up_blocks], strict=True):
            parts.append((name, [(f"{prefix}.{block}", module) for block, module in stage.chain()]))
        head = ["upsampler2d_1", "upsampler2d_2", "conv_out"]
        parts.append(("head", [(name, getattr(self, name)) for name in head if hasattr(self, name)]))
        return parts

    def blocks(self) -> list[tuple[str, nn.Module]]:
        """Every block with its name, in order: their composition is `forward`."""
        return [block for _, blocks in self.stages() for block in blocks]

    def forward(
        self, latent: torch.Tensor, return_features: bool = False
    ) -> torch.Tensor | tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Decodes [B, latent_channels, T, H, W] to [B, 3, config.frames(T), s*H, s*W].

        With return_features also gives what leaves each stage: {"mid_block", "up_block_0" ... "up_block_3"}.
        """
        features = {}
        clip = latent
        for name, blocks in self.stages():
            for _, block in blocks:
                clip = block(clip)
            if name in STAGE_NAMES:
                features[name] = clip
        return (clip, features) if return_features else clip


class StageBlocks(nn.Module):
    """A residual block that changes the width, the upsampler, more residual blocks: whichever there are."""

    def __init__(self, config: DecoderConfig, index: int) -> None:
        super().__init__()
        stage: Stage = config.stages[index]
        causal = config.is_causal(stage.conv)
        width = config.stages[max(index - 1, 0)].width
        if config.has_conv_in(index):
            self.conv_in = ResidualBlock(width, stage.width, stage.conv, causal, config.norm_eps)
            width = stage.width
        if stage.upsampler is not None:
            asked = Upsampling(
                width, stage.width, stage.doubles_time, config.keeps_first_frames, config.is_causal()
            )
            self.upsamplers = nn.ModuleList([build_upsampler(stage.upsampler, asked)])
        # Published: the residual blocks after an upsampler begin with a ReLU, all others with a SiLU.
        relu_first = stage.upsampler is not None
        self.resnets = nn.ModuleList(
            ResidualBlock(stage.width, stage.width, stage.conv, causal, config.norm_eps, relu_first)
            for _ in range(stage.blocks)
        )

    def chain(self) -> list[tuple[str, nn.Module]]:
        """The blocks that there are, in order, with their names in this stage."""
        blocks: list[tuple[str, nn.Module]] = []
        if hasattr(self, "conv_in"):
            blocks.append(("conv_in", self.conv_in))
        if hasattr(self, "upsamplers"):
            blocks.append(("upsamplers.0", self.upsamplers[0]))
        return blocks + [(f"resnets.{index}", resnet) for index, resnet in enumerate(self.resnets)]


class ResidualBlock(nn.Module):
    """norm, activation, convolution, norm, SiLU, convolution, plus the shortcut."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        conv: str,
        causal: bool,
        norm_eps: float,
        relu_first: bool = False,
    ) -> None:
        super().__init__()
        self.relu_first = relu_first
        self.conv1 = build_convolution(conv, in_channels, out_channels, causal)
        self.conv2 = build_convolution(conv, out_channels, out_channels, causal)
        self.changes_width = in_channels != out_channels
        if self.changes_width:
            self.norm3 = ChannelLayerNorm(in_channels, eps=norm_eps)
            self.conv_shortcut = build_convolution(conv, in_channels, out_channels, causal, shortcut=True)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        first_activation = F.relu if self.relu_first else F.silu
        residual = self.conv1(first_activation(rms_norm(clip)))
        residual = self.conv2(F.silu(rms_norm(residual)))
        shortcut = self.conv_shortcut(self.norm3(clip)) if self.changes_width else clip
        return shortcut + residual


class PatchUpsampler(nn.Module):
    """norm, SiLU, a 3x3 convolution in each frame, a 2x pixel shuffle to a quarter of the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        frames = F.pixel_shuffle(self.conv(fold_frames(F.silu(rms_norm(clip)))), 2)
        return unfold_frames(frames, clip.shape[0])


class OutputConvolution(DenseConvolution):
    """norm, SiLU, a dense convolution to the video's channels."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return super().forward(F.silu(rms_norm(clip)))


class ChannelLayerNorm(nn.LayerNorm):
    """Layer norm over the channels of [B, C, T, H, W]."""

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return super().forward(clip.movedim(1, -1)).movedim(-1, 1)


def rms_norm(clip: torch.Tensor, eps: float = 1e-8) -> torch.Tensor:
    """Divides [B, C, ...] by the root mean square over its channels, taken in fp32."""
    mean_square = clip.float().square().mean(dim=1, keepdim=True)
    return clip * torch.rsqrt(mean_square + eps).to(clip.dtype)
