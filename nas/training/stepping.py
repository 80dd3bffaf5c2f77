"""One step of the optimiser, over all processes and all batches that it accumulates."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from nas.quality import to_unit
from nas.teachers import Teacher
from nas.training.latents import posterior_of, sample
from nas.training.objective import Objective
from nas.training.records import LOSSES
from nas.training.settings import FullTrainingSettings
from nas.training.state import TrainingState


class Stepper:
    """Takes steps; gradients are exchanged between processes once a step, after the last batch."""

    def __init__(
        self,
        state: TrainingState,
        objective: Objective,
        teacher: Teacher,
        settings: FullTrainingSettings,
        accelerator: Accelerator,
    ) -> None:
        self.state, self.objective, self.teacher = state, objective, teacher
        self.settings, self.accelerator = settings, accelerator
        self._student = accelerator.prepare_model(state.student)
        if state.discriminator is not None:
            self._discriminator = accelerator.prepare_model(state.discriminator)

    def step(self, feed: Iterator[dict[str, Tensor]]) -> dict[str, float]:
        """Takes one.

        Args:
            feed: this process's batches, of `batches`.

        Returns:
            The losses, unweighted and averaged over processes, "gradient_norm", "learning_rate", "seconds".
        """
        started = time.perf_counter()
        state, settings = self.state, self.settings
        adversarial = settings.adversarial
        second_phase = adversarial is not None and state.step >= adversarial.start
        rate = settings.optimiser.learning_rate * rate_share(state.step, settings)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        sums: dict[str, Tensor] = {}
        for number in range(settings.accumulation):
            last = number + 1 == settings.accumulation
            for name, value in self._accumulate(next(feed), second_phase, last).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value / settings.accumulation
        norm = nn.utils.clip_grad_norm_(state.student.parameters(), settings.optimiser.gradient_norm)
        state.optimiser.step()
        state.optimiser.zero_grad(set_to_none=True)
        if second_phase and state.discriminator is not None and state.adversary_optimiser is not None:
            nn.utils.clip_grad_norm_(state.discriminator.parameters(), settings.optimiser.gradient_norm)
            state.adversary_optimiser.step()
            state.adversary_optimiser.zero_grad(set_to_none=True)
        state.step += 1
        state.seen += settings.accumulation * settings.batch * self.accelerator.num_processes
        state.average.update(state.decoder, state.step)
        values = self._mean(sums) | {"gradient_norm": float(norm), "learning_rate": rate}
        return values | {"seconds": time.perf_counter() - started}

    def _accumulate(self, batch: dict[str, Tensor], second_phase: bool, last: bool) -> dict[str, Tensor]:
        """Adds a batch's gradients to those that are there; returns its losses."""
        state, settings, device = self.state, self.settings, self.accelerator.device
        clip = to_unit(batch["clip"].to(device))
        latent = sample(*posterior_of(batch, self.teacher), batch["number"], settings.seed)
        with nullcontext() if last else self.accelerator.no_sync(self._student):
            losses = self.objective.student_losses(
                self._student,
                state.decoder.conv_out.conv.weight,
                state.discriminator if second_phase else None,
                latent,
                clip,
            )
            (losses.total / settings.accumulation).backward()
        found = {"loss": losses.total.detach()} | losses.parts
        if second_phase:
            with nullcontext() if last else self.accelerator.no_sync(self._discriminator):
                loss = self.objective.discriminator_loss(self._discriminator, losses.video, clip)
                (loss / settings.accumulation).backward()
            found["discriminator"] = loss.detach()
        return found

    def _mean(self, sums: dict[str, Tensor]) -> dict[str, float]:
        """Losses averaged over processes."""
        names = [name for name in LOSSES if name in sums]
        together = self.accelerator.reduce(torch.stack([sums[name].float() for name in names]), "mean")
        return dict(zip(names, together.tolist(), strict=True))


def rate_share(step: int, settings: FullTrainingSettings) -> float:
    """The share of the learning rate after `step` steps: a linear warm-up, then half a cosine."""
    wanted = settings.optimiser
    if step < wanted.warm_up:
        return (step + 1) / (wanted.warm_up + 1)
    done = min(1.0, (step - wanted.warm_up) / max(1, settings.steps - wanted.warm_up))
    return wanted.final_rate + (1 - wanted.final_rate) * 0.5 * (1 + math.cos(math.pi * done))
