"""Everything that a training changes: weights, their average, the adversary, and the optimisers of both."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas.teachers import Teacher
from nas.training.adversary import PatchDiscriminator
from nas.training.average import WeightAverage
from nas.training.checkpoint import load_optimiser_state, named, optimiser_state, part
from nas.training.settings import FullTrainingSettings
from nas.training.student import build_student
from search_space.decoder import Decoder


class TrainingState:
    """What a checkpoint keeps.

    Attributes:
        decoder: what is trained.
        student: it and its heads.
        average: the decoder's averaged weights, which the training ends with.
        optimiser: the student's.
        discriminator: the second phase's adversary, if there is one.
        adversary_optimiser: its own.
        step: optimiser steps done.
        seen: clips seen by all processes together.
    """

    def __init__(
        self, decoder: Decoder, teacher: Teacher, settings: FullTrainingSettings, latent: Tensor
    ) -> None:
        """Begins with the decoder's weights as they are, on the device of `latent` `[B, C, t, h, w]`."""
        torch.manual_seed(settings.seed)  # of the heads and of the adversary
        self.decoder = decoder.to(latent.device)
        self.student = build_student(self.decoder, teacher, settings, latent).to(latent.device)
        self.average = WeightAverage(self.decoder, settings.average)
        self.optimiser = _adamw(self.student, settings, settings.optimiser.learning_rate)
        self.discriminator: PatchDiscriminator | None = None
        self.adversary_optimiser: torch.optim.Optimizer | None = None
        if (adversarial := settings.adversarial) is not None:
            self.discriminator = PatchDiscriminator(adversarial.width, adversarial.layers).to(latent.device)
            self.adversary_optimiser = _adamw(self.discriminator, settings, adversarial.learning_rate)
        self.step = self.seen = 0

    def tensors(self) -> dict[str, Tensor]:
        """Everything but `step` and `seen`, by name."""
        kept = named(self.student.state_dict(), "student") | named(self.average.weights, "average")
        kept |= named(optimiser_state(self.optimiser, _names(self.student)), "optimiser")
        if self.discriminator is not None and self.adversary_optimiser is not None:
            kept |= named(self.discriminator.state_dict(), "discriminator")
            state = optimiser_state(self.adversary_optimiser, _names(self.discriminator))
            kept |= named(state, "adversary_optimiser")
        return kept

    def restore(self, tensors: dict[str, Tensor], step: int, seen: int) -> None:
        """Takes up what `tensors` returned."""
        self.student.load_state_dict(part(tensors, "student"))
        for name, tensor in part(tensors, "average").items():
            self.average.weights[name].copy_(tensor)
        load_optimiser_state(self.optimiser, _names(self.student), part(tensors, "optimiser"))
        if self.discriminator is not None and self.adversary_optimiser is not None:
            self.discriminator.load_state_dict(part(tensors, "discriminator"))
            state = part(tensors, "adversary_optimiser")
            load_optimiser_state(self.adversary_optimiser, _names(self.discriminator), state)
        self.step, self.seen = step, seen


def _adamw(module: nn.Module, settings: FullTrainingSettings, rate: float) -> torch.optim.AdamW:
    wanted = settings.optimiser
    return torch.optim.AdamW(
        module.parameters(), lr=rate, betas=wanted.betas, eps=wanted.eps, weight_decay=wanted.weight_decay
    )


def _names(module: nn.Module) -> list[str]:
    """The names of a module's parameters, in the order in which its optimiser has them."""
    return [name for name, _ in module.named_parameters()]
