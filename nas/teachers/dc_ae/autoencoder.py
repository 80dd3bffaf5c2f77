"""Video DC-AE, the autoencoder of Open-Sora 2.0 (arXiv 2503.09642), which diffusers lacks.

Written after Open-Sora's `dc-ae-f32t4c128` (github.com/hpcaitech/Open-Sora, opensora/models/dc_ae), with the
names that its parameters have there. It gives no distribution over latents and is not causal: a clip is a
multiple of four frames, and attention sees all of it, so that it can't be computed in pieces of time.
"""

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from .blocks import (
    AttentionBlock,
    Averaging,
    Chain,
    ChannelRMSNorm,
    Convolution,
    Duplicating,
    NearestConvolution,
    ResidualConvolutions,
)

MODEL_NAME = "dc-ae-f32t4c128"  # as Open-Sora calls it
LATENT_CHANNELS = 128
ATTENTION_FROM = 3  # stages from this one on attend, the finer ones only convolve
RESAMPLES_TIME = (3, 4)  # stages between which and the next coarser one the frames change too

_Block = Callable[[int], nn.Module]


class VideoDCAEConfig(BaseModel):
    """Sizes of a Video DC-AE; the published ones unless said otherwise.

    Attributes:
        latent_channels: C of its latents.
        widths: channels by stage, from full resolution down to the latent's; each stage halves the next.
        encoder_blocks: blocks by stage.
        decoder_blocks: blocks by stage.
        scaling_factor: the diffusion model was trained on latents divided by it (Open-Sora,
            configs/diffusion/train/high_compression.py).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latent_channels: int = LATENT_CHANNELS
    widths: tuple[int, int, int, int, int, int] = (128, 256, 512, 512, 1024, 1024)
    encoder_blocks: tuple[int, int, int, int, int, int] = (2, 2, 2, 3, 3, 3)
    decoder_blocks: tuple[int, int, int, int, int, int] = (3, 3, 3, 3, 3, 3)
    scaling_factor: float = 0.493


class VideoDCAEEncoder(nn.Module):
    """Clip `[B, 3, 4 * T, 32 * H, 32 * W]` in -1..1 to latents `[B, C, T, H, W]`; one frame is one latent."""

    def __init__(self, config: VideoDCAEConfig) -> None:
        super().__init__()
        widths = config.widths
        self.project_in = Convolution(3, widths[0])
        stages: list[Chain] = []
        for stage, blocks in enumerate(config.encoder_blocks):
            layers = _blocks(stage, widths[stage], blocks)
            if stage + 1 < len(widths):
                channels, scale = (widths[stage], widths[stage + 1]), _scale(stage)
                layers.append(Averaging(*channels, scale, Convolution(*channels, stride=scale)))
            stages.append(Chain(*layers))
        self.stages = nn.ModuleList(stages)
        channels = (widths[-1], config.latent_channels)
        self.project_out = Averaging(*channels, (1, 1, 1), Chain(Convolution(*channels)))

    def forward(self, clip: Tensor) -> Tensor:
        x = self.project_in(clip)
        for stage in self.stages:
            x = stage(x)
        return self.project_out(x)


class VideoDCAEDecoder(nn.Module):
    """Latents `[B, C, T, H, W]` to video `[B, 3, 4 * T, 32 * H, 32 * W]`; a single latent is one frame."""

    def __init__(self, config: VideoDCAEConfig = VideoDCAEConfig()) -> None:  # noqa: B008 (frozen)
        super().__init__()
        widths = config.widths
        channels = (config.latent_channels, widths[-1])
        self.project_in = Duplicating(*channels, (1, 1, 1), Convolution(*channels))
        stages: list[Chain] = []
        for stage, blocks in enumerate(config.decoder_blocks):
            layers = _blocks(stage, widths[stage], blocks)
            if stage + 1 < len(widths):
                channels, scale = (widths[stage + 1], widths[stage]), _scale(stage)
                layers.insert(0, Duplicating(*channels, scale, NearestConvolution(*channels, scale)))
            stages.append(Chain(*layers))
        self.stages = nn.ModuleList(stages)
        self.project_out = Chain(ChannelRMSNorm(widths[0]), nn.ReLU(), Convolution(widths[0], 3))

    @property
    def mid_block(self) -> nn.Module:
        """What features are named "mid_block" after: Turbo-VAED-DC's first aligned block, 1024 wide."""
        return self.project_in

    @property
    def up_blocks(self) -> Sequence[nn.Module]:
        """The stages in the order in which they run; the first keeps the latent's size."""
        return list(reversed(self.stages))

    def forward(self, latent: Tensor) -> Tensor:
        x = self.mid_block(latent)
        for stage in self.up_blocks:
            x = stage(x)
        return self.project_out(x)


class VideoDCAE(nn.Module):
    """The whole autoencoder."""

    def __init__(self, config: VideoDCAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = VideoDCAEEncoder(config)
        self.decoder = VideoDCAEDecoder(config)

    @classmethod
    def from_config(cls, config: VideoDCAEConfig) -> "VideoDCAE":
        """One with random weights, called as diffusers' classes are."""
        return cls(config)


def _blocks(stage: int, width: int, count: int) -> list[nn.Module]:
    block: _Block = AttentionBlock if stage >= ATTENTION_FROM else ResidualConvolutions
    return [block(width) for _ in range(count)]


def _scale(stage: int) -> tuple[int, int, int]:
    """Frames, rows and columns of a stage for one of the next coarser stage."""
    return (2 if stage in RESAMPLES_TIME else 1, 2, 2)
