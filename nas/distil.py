"""One distillation run: a design learns to decode a teacher's latents, and its quality is measured.

The loss is L1 to the original clip plus a block-feature loss: mean squared error between the teacher's block
feature and the student's at the same size, the latter through a head of two 1x1x1 convolutions (Turbo-VAED,
Zou et al., arXiv 2508.09136). Every design sees the same clips in the same order for the same steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.averaging import Average
from nas.initialisation import initialise
from nas.learning_curve import LearningCurve, Points
from nas.material import Material, middle_frames
from nas.quality import psnr, psnr_inside, ssim, to_unit
from nas.settings import TrainingSettings
from nas.training_form import training_form
from nas.training_step import TrainingStep
from nas.training_weights import Weights
from search_space import DecoderConfig, build_decoder
from search_space.config import STAGE_NAMES


class DistillationError(RuntimeError):
    """A run came to no result: the message says why, in one line."""


@dataclass(frozen=True)
class Distilled:
    """What one run came to.

    Attributes:
        metrics: on the validation clips: "psnr" and "psnr_inside" in dB, "ssim", and the last "loss".
        curve: `[step, PSNR in dB]` on the first few validation clips, while training.
        seconds: wall clock of the parts "build", "train" (with the curve) and "validate".
        state: the trained decoder's parameters, on the CPU.
        frames: the middle frame of each validation clip as decoded, uint8 `[M, 3, H, W]`.
        feature_blocks: names of the student's and the teacher's block whose features were compared, if any.
    """

    metrics: dict[str, float]
    curve: Points
    seconds: dict[str, float]
    state: dict[str, Tensor]
    frames: Tensor
    feature_blocks: tuple[str, str] | None


@dataclass(frozen=True)
class Stopped:
    """What is known of a run that was ended before its last step, since its curve was too low.

    Attributes:
        curve: as of a whole run, up to the point that was too low.
        seconds: wall clock of the parts "build" and "train".
        seconds_left: that the rest of the run would have taken, estimated from its latest steps.
    """

    curve: Points
    seconds: dict[str, float]
    seconds_left: float


def distil(
    config: DecoderConfig,
    material: Material,
    settings: TrainingSettings,
    *,
    seed: int = 0,
    stop_below: Mapping[int, float] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_point: Callable[[Points], None] | None = None,
) -> Distilled | Stopped:
    """Builds the design, trains it on the material's latents and measures it.

    Args:
        config: what is built and trained; narrowed already where a proxy is wanted.
        material: clips, latents and features, on the device that trains.
        settings: steps, batch, learning rate.
        seed: of the initial weights and of the order of clips.
        stop_below: by steps of the curve, the PSNR in dB under which the run is ended there.
        on_step: called with the number of steps done after each.
        on_point: called with the curve so far after each of its points.

    Returns:
        The trained decoder and its quality, or what is known of a run that was stopped.

    Raises:
        DistillationError: the loss became NaN or infinite, or the output has another shape than the clip.
    """
    started = time.perf_counter()
    block = _comparable_block(config, material) if settings.feature_weight else None
    torch.manual_seed(seed)
    with material.device:
        decoder = training_form(initialise(build_decoder(config)))
        weights = Weights(_Student(decoder, block, _head(config, block, material)))

    def loss_of(latents: Tensor, clips: Tensor, features: Tensor | None) -> Tensor:
        video, projected = weights.compute(latents)
        if video.shape != clips.shape:
            raise DistillationError(
                f"the decoder returns {list(video.shape)} for clips of {list(clips.shape)}"
            )
        loss = functional.l1_loss(video.float(), clips)
        if projected is None or features is None:
            return loss
        return loss + settings.feature_weight * functional.mse_loss(projected.float(), features)

    step = TrainingStep(weights, loss_of, material, settings, seed)
    average = Average(weights) if settings.schedule == "constant" else None
    built = time.perf_counter()

    curve = LearningCurve(settings, len(material.validation_clips))
    some = slice(settings.curve_clips)

    def measure() -> float:
        with average.in_place() if average else nullcontext():
            decoded = _decode(weights, material.validation_latents[some])
        return psnr(decoded, to_unit(material.validation_clips[some]))

    for number in range(1, settings.steps + 1):
        step()
        if average:
            average.add(number)
        if curve.due(number):
            if not math.isfinite(step.loss.item()):
                raise DistillationError(f"the loss is {step.loss.item()} at step {number}")
            reached = curve.add(number, measure)
            if on_point is not None:
                on_point(curve.points)
            if stop_below is not None and reached < stop_below.get(number, -math.inf):
                seconds = {"build": built - started, "train": time.perf_counter() - built}
                return Stopped(curve.points, seconds, curve.seconds_left())
        if on_step is not None:
            on_step(number)
    if average:
        average.settle()
    trained = time.perf_counter()

    truth = to_unit(material.validation_clips)
    decoded = _decode(weights, material.validation_latents)
    compression = config.compression[0]
    metrics = {
        "psnr": psnr(decoded, truth),
        "psnr_inside": psnr_inside(decoded, truth, frames=compression),
        "ssim": ssim(decoded, truth),
        "loss": step.loss.item(),
    }
    if not all(math.isfinite(value) for value in metrics.values()):
        raise DistillationError(f"the trained decoder measures {metrics}")
    finished = time.perf_counter()
    return Distilled(
        metrics=metrics,
        curve=curve.points,
        seconds={"build": built - started, "train": trained - built, "validate": finished - trained},
        state={name: tensor.detach().cpu().contiguous() for name, tensor in decoder.state_dict().items()},
        frames=middle_frames(decoded),
        feature_blocks=None if block is None else (block, str(material.feature_block)),
    )


class _Student(nn.Module):
    """A decoder and, where features are compared, the head of the block that they are compared at."""

    def __init__(self, decoder: nn.Module, block: str | None, head: nn.Module | None) -> None:
        super().__init__()
        self.decoder, self.block, self.head = decoder, block, head

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents `[B, C, t, h, w]` to video `[B, 3, T, H, W]` and projected features `[B, F, t, h, w]`."""
        if self.block is None or self.head is None:
            return self.decoder(latents), None
        video, features = self.decoder(latents, return_features=True)
        return video, self.head(features[self.block])


def _comparable_block(config: DecoderConfig, material: Material) -> str | None:
    """The student's last block at the size of the teacher's feature; None where there is none."""
    if material.features is None:
        return None
    with torch.device("meta"):
        _, features = build_decoder(config)(material.latents[:1].to("meta"), return_features=True)
    size = material.features.shape[2:]
    names = [name for name, feature in features.items() if feature.shape[2:] == size]
    return names[-1] if names else None


def _head(config: DecoderConfig, block: str | None, material: Material) -> nn.Module | None:
    """Two 1x1x1 convolutions from a student's block to the teacher's feature, where there is one."""
    if block is None or material.features is None:
        return None
    student, teacher = config.stages[STAGE_NAMES.index(block)].width, material.features.shape[1]
    return nn.Sequential(nn.Conv3d(student, teacher, 1), nn.Conv3d(teacher, teacher, 1))


@torch.no_grad()
def _decode(weights: Weights, latents: Tensor) -> Tensor:
    """Decodes clip by clip, since all of them may not fit: `[B, 3, T, H, W]`, float32.

    On CPUs two at a time: of one, PyTorch keeps 3D convolutions from oneDNN, up to four times as long.
    """
    together = 1 if latents.is_cuda else 2
    return torch.cat([weights.compute(clips)[0].float() for clips in latents.split(together)])
