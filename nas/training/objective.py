"""What a training lowers: L1, LPIPS and feature distillation, and in its second phase an adversary's loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.perceptual import Lpips
from nas.teachers import Teacher
from nas.training.adversary import PatchDiscriminator, adaptive_weight
from nas.training.alignment import feature_loss
from nas.training.settings import FullTrainingSettings


@dataclass
class Losses:
    """The student's loss of one batch, a scalar with its graph, and its parts, unweighted and without."""

    total: Tensor
    parts: dict[str, Tensor]
    video: Tensor


class Objective:
    """The published losses, each with the weight that the settings give it."""

    def __init__(
        self, teacher: Teacher, settings: FullTrainingSettings, perceptual: Lpips | None, bf16: bool
    ) -> None:
        self.teacher, self.settings, self.perceptual = teacher, settings, perceptual
        self.bf16 = bf16

    def autocast(self) -> torch.autocast:
        """Where the student and its adversary compute."""
        return torch.autocast(self.teacher.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def student_losses(
        self,
        student: nn.Module,
        decoder_output: Tensor,
        discriminator: PatchDiscriminator | None,
        latent: Tensor,
        clip: Tensor,
    ) -> Losses:
        """Decodes a batch and compares it.

        Args:
            student: a `Student`, or what distributes it.
            decoder_output: the weight of the decoder's last convolution, for the adaptive weight.
            discriminator: the adversary, in the second phase.
            latent: `[B, C, t, h, w]`.
            clip: the originals, `[B, 3, T, H, W]` in -1..1.
        """
        settings = self.settings
        pairs = settings.features.blocks if settings.features.weight else ()
        targets = self.teacher.features(latent, {theirs for _, theirs in pairs}) if pairs else {}
        features = [targets[theirs] for _, theirs in pairs]
        with self.autocast():
            video, projected = student(latent, [feature.shape[2:] for feature in features])
        video = video.float()

        parts = {"l1": functional.l1_loss(video, clip)}
        total = parts["l1"]
        if self.perceptual is not None:
            with self.autocast():
                parts["lpips"] = self.perceptual(video, clip).mean()
            total = total + settings.perceptual.weight * parts["lpips"]
        # As published, the adaptive weight compares the adversary with L1 and LPIPS only.
        reconstruction = total
        if pairs:
            each = [
                feature_loss(ours, theirs, settings.features.relative)
                for ours, theirs in zip(projected, features, strict=True)
            ]
            parts["features"] = torch.stack(each).sum()
            total = total + settings.features.weight * parts["features"]
        if discriminator is not None:
            assert settings.adversarial is not None
            discriminator.requires_grad_(False)
            with self.autocast():
                parts["generator"] = discriminator.generator_loss(video)
            parts["adaptive_weight"] = adaptive_weight(reconstruction, parts["generator"], decoder_output)
            discriminator.requires_grad_(True)
            total = total + settings.adversarial.weight * parts["adaptive_weight"] * parts["generator"]
        return Losses(total, {name: value.detach() for name, value in parts.items()}, video.detach())

    def discriminator_loss(self, discriminator: nn.Module, video: Tensor, clip: Tensor) -> Tensor:
        """The adversary's loss of a decoded batch, as `student_losses` returned it, and its originals."""
        with self.autocast():
            return discriminator(clip, video)
