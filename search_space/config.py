"""One decoder design: what it is made of, whether that can be built, and its published configuration format.

`Stage`s are in the order in which data meets them, latent to pixels. The published format
(`AutoencoderKLTurboVAED`, arXiv 2508.09136) keeps its lists from pixels to latent; only `published.py` knows.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from search_space.errors import UserError
from search_space.operators import CONVOLUTIONS, DEPTHWISE, UPSAMPLERS
from search_space.published import read_published, write_published

STAGE_NAMES = ("mid_block", "up_block_0", "up_block_1", "up_block_2", "up_block_3")
PATCH_SIZES = (1, 2, 4)
TIME_PADDINGS = ("symmetric", "causal", "causal_dense")
MOST = 2**16  # channels, and blocks of a stage: beyond any decoder, within what PyTorch can count


@dataclass(frozen=True)
class Stage:
    """The middle block or one up block.

    width: channels.
    blocks: residual blocks, 0 or more.
    conv: a name in `CONVOLUTIONS`, for those blocks.
    upsampler: a name in `UPSAMPLERS`, or None where the stage keeps height and width.
    doubles_time: whether the upsampler doubles the number of frames too.
    """

    width: int
    blocks: int
    conv: str
    upsampler: str | None = None
    doubles_time: bool = False


@dataclass(frozen=True)
class DecoderConfig:
    """A decoder from latent [B, latent_channels, T, H, W] to video [B, 3, frames(T), s*H, s*W].

    stages: five, in the order data meets them: the middle block, then four up blocks.
    patch_size: 1, 2 or 4; how much of the spatial factor the output head makes by 2D pixel shuffles.
    time_padding: how convolutions over time meet the borders. "symmetric" repeats the first and the last
        frame; "causal" looks only backwards, so that a frame depends on no later latent; "causal_dense" is
        what the published `decoder_causal` does to a design with depthwise stages: those stay symmetric.
    keeps_first_frames: whether doubling T frames gives 2T of them (the published `is_video_dc_ae`) or, as in
        causal video autoencoders, 2T - 1.
    norm_eps: of the layer norm before a shortcut that changes the width.
    carried: published keys that don't concern the decoder (training, scaling of latents, the version of
        diffusers), kept from a file that was read so that writing it loses nothing. They count neither for
        equality nor for the hash.

    Raises UserError, in one line that says what would be right, for what can't be built.
    """

    latent_channels: int
    stages: tuple[Stage, ...]
    patch_size: int = 1
    time_padding: str = "symmetric"
    keeps_first_frames: bool = False
    norm_eps: float = 1e-6
    carried: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        _check(self)

    @property
    def compression(self) -> tuple[int, int, int]:
        """Video frames, rows and columns for one of the latent: (t, h, w)."""
        time = 2 ** sum(stage.doubles_time for stage in self.stages)
        space = self.patch_size * 2 ** sum(stage.upsampler is not None for stage in self.stages)
        return time, space, space

    def frames(self, latent_frames: int) -> int:
        """Video frames decoded from so many latent frames."""
        if latent_frames < 1:
            raise UserError(f"{latent_frames} latent frames: there must be at least 1")
        time = self.compression[0]
        return time * latent_frames if self.keeps_first_frames else time * (latent_frames - 1) + 1

    def latent_frames(self, frames: int) -> int:
        """Fewest latent frames that decode to at least so many video frames."""
        if frames < 1:
            raise UserError(f"{frames} video frames: there must be at least 1")
        time = self.compression[0]
        return math.ceil(frames / time) if self.keeps_first_frames else math.ceil((frames - 1) / time) + 1

    def has_conv_in(self, index: int) -> bool:
        """Whether stage `index` begins with a residual block that changes the width."""
        if index == 0 or self.stages[index].width == self.stages[index - 1].width:
            return False
        upsampler = self.stages[index].upsampler
        return upsampler is None or not UPSAMPLERS[upsampler].changes_width

    def is_causal(self, conv: str = "dense") -> bool:
        """Whether convolutions of this kind look only backwards in time."""
        if self.time_padding == "causal_dense":
            return conv not in DEPTHWISE.values()
        return self.time_padding == "causal"

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name the architecture: equal for equal decoders, on every machine.

        The convolution of a stage without residual blocks is left out, for it is never built.
        """
        stages = []
        for index, stage in enumerate(self.stages):
            conv = stage.conv if stage.blocks or self.has_conv_in(index) else None
            stages.append([stage.width, stage.blocks, conv, stage.upsampler, stage.doubles_time])
        architecture = [self.latent_channels, stages, self.patch_size, self.time_padding]
        architecture += [self.keeps_first_frames, self.norm_eps]
        return hashlib.sha256(json.dumps(architecture).encode()).hexdigest()[:12]

    @property
    def is_published(self) -> bool:
        """Whether the published code can build this decoder."""
        return not self.why_not_published

    @property
    def why_not_published(self) -> list[str]:
        """What the published code lacks for this decoder, one reason an entry."""
        reasons = []
        convs = {stage.conv for stage in self.stages}
        reasons += [
            f"convolution {name}"
            for name in CONVOLUTIONS
            if name in convs and not CONVOLUTIONS[name].published
        ]
        if len(kernels := convs & set(DEPTHWISE.values())) > 1:
            reasons.append(f"several depthwise kernel sizes ({', '.join(sorted(kernels))})")
        upsamplers = {stage.upsampler for stage in self.stages}
        reasons += [
            f"upsampler {name}"
            for name in UPSAMPLERS
            if name in upsamplers and not UPSAMPLERS[name].published
        ]
        if self.time_padding == "causal" and kernels:
            reasons.append("causal depthwise convolutions")
        return reasons

    def narrowed(self, factor: float, minimum: int = 8) -> "DecoderConfig":
        """The same design with widths scaled by `factor` in (0, 1]: what a CPU trains in its place.

        Equal widths stay equal and different ones different, so that the same blocks are built, and the patch
        still divides the last stage's. No width rises, and none that was above `minimum` falls below it.
        """
        if not 0 < factor <= 1:
            raise UserError(f"a factor of {factor} narrows nothing: it must be above 0 and at most 1")
        if factor == 1:
            return replace(self, carried={})
        step = max(4, self.patch_size**2)
        narrow: dict[int, int] = {}
        previous = 0
        for width in sorted({stage.width for stage in self.stages}):
            scaled = step * max(1, round(width * factor / step))
            previous = min(width, max(scaled, step * math.ceil(minimum / step), previous + step))
            narrow[width] = previous
        stages = tuple(replace(stage, width=narrow[stage.width]) for stage in self.stages)
        return replace(self, stages=stages, carried={})

    @classmethod
    def from_dict(cls, published: Mapping[str, Any]) -> "DecoderConfig":
        """Reads the published format, or that with our keys. Raises UserError."""
        fields = read_published(published)
        return cls(**fields | {"stages": tuple(Stage(**stage) for stage in fields["stages"])})

    def to_dict(self) -> dict[str, Any]:
        """The published format; our keys appear only where the published code lacks something."""
        return write_published(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "DecoderConfig":
        """Reads a JSON file in the format of `from_dict`. Raises UserError."""
        try:
            published = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}; give a decoder's configuration (JSON)") from None
        except ValueError as error:
            raise UserError(f"{path} isn't JSON ({error}); give a decoder's configuration") from None
        if not isinstance(published, dict):
            raise UserError(f"{path} holds a {type(published).__name__}; a configuration is a JSON object")
        try:
            return cls.from_dict(published)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `to_dict` as JSON, whole or not at all."""
        path = Path(path)
        temporary = path.with_name(path.name + ".part")
        temporary.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)


def _check(config: DecoderConfig) -> None:
    """Raises UserError for a design that can't be built."""
    stages = config.stages
    if len(stages) != len(STAGE_NAMES):
        raise UserError(f"{len(stages)} stages: there must be five, a middle block and four up blocks")
    _check_count("latent_channels", config.latent_channels, 1)
    if config.patch_size not in PATCH_SIZES:
        raise UserError(f"patch_size {config.patch_size}: it must be 1, 2 or 4")
    if config.time_padding not in TIME_PADDINGS:
        raise UserError(f"time padding {config.time_padding!r}: it must be one of {', '.join(TIME_PADDINGS)}")
    if not 0 < config.norm_eps < math.inf:
        raise UserError(f"resnet_norm_eps {config.norm_eps}: it must be above 0 and finite")
    for name, stage in zip(STAGE_NAMES, stages, strict=True):
        _check_stage(name, stage)
    if stages[0].upsampler is not None:
        raise UserError(f"mid_block can't upsample (it says {stages[0].upsampler}): only up blocks do")
    if stages[0].width != stages[1].width:
        raise UserError(
            f"mid_block is {stages[0].width} wide and up_block_0 {stages[1].width}: the two must be equal"
        )
    if stages[-1].width % config.patch_size**2:
        raise UserError(
            f"up_block_3 is {stages[-1].width} wide, which patch_size {config.patch_size} can't divide: "
            f"give a multiple of {config.patch_size**2}"
        )
    has_depthwise = any(stage.conv in DEPTHWISE.values() for stage in stages)
    if config.time_padding == "causal_dense" and not has_depthwise:
        raise UserError("time padding causal_dense is for designs with depthwise stages: say causal")


def _check_stage(name: str, stage: Stage) -> None:
    _check_count(f"width of {name}", stage.width, 1)
    _check_count(f"blocks of {name}", stage.blocks, 0)
    if stage.conv not in CONVOLUTIONS:
        raise UserError(f"convolution {stage.conv!r} of {name}: it must be one of {', '.join(CONVOLUTIONS)}")
    if stage.upsampler is None:
        if stage.doubles_time:
            raise UserError(
                f"{name} doubles time without an upsampler: frames are doubled where height and width are"
            )
        return
    if stage.upsampler not in UPSAMPLERS:
        raise UserError(f"upsampler {stage.upsampler!r} of {name}: it must be one of {', '.join(UPSAMPLERS)}")
    without_time = UPSAMPLERS[stage.upsampler].without_time
    if without_time and not stage.doubles_time:
        raise UserError(
            f"upsampler {stage.upsampler} of {name}, where time isn't doubled: use {without_time}"
        )


def _check_count(what: str, value: Any, minimum: int) -> None:
    if type(value) is not int or not minimum <= value <= MOST:
        raise UserError(f"{what} is {value!r}: it must be a whole number, {minimum} to {MOST}")
