"""`nas train`: from an exported design to a finished decoder, by the published method, on any number of GPUs.

One process, or as many as `accelerate launch` or `torchrun` start. Everything random is a function of the
seed and of a clip's number, so a training that is continued ends with the weights of one that was never
stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import save
from torch import Tensor, nn

from nas.clips.stream import ClipStream, Footage, find_footage, validation_clips
from nas.depthwise import compute_framewise
from nas.export import load_exported
from nas.frames import side_by_side
from nas.inputs import latents as described_latents
from nas.perceptual import Lpips
from nas.quality import to_unit
from nas.teachers import Teacher, load_teacher
from nas.training.adversary import PatchDiscriminator
from nas.training.average import WeightAverage
from nas.training.checkpoint import (
    Place,
    load_checkpoint,
    load_optimiser_state,
    named,
    optimiser_state,
    part,
    save_checkpoint,
)
from nas.training.files import TrainingFiles, write_whole
from nas.training.interruption import Interruption
from nas.training.latents import LatentStore, NumberedClips, Shares, batches, posterior_of, sample
from nas.training.listener import Listener
from nas.training.objective import Objective
from nas.training.records import LOSSES, Records
from nas.training.settings import FullTrainingSettings
from nas.training.student import build_student
from nas.training.validation import HeldOut, validate
from nas.weights_file import load_weights
from search_space.decoder import Decoder
from search_space.errors import UserError

# What may change between one call and the next: how long, how fast and how often, not what is learnt.
_FREE = (
    "steps",
    "batch",
    "accumulation",
    "precision",
    "gradient_checkpointing",
    "validate_every",
    "save_every",
    "data.workers",
    "perceptual.vgg16",
    "teacher.name",  # the digest of its weights tells
    "teacher.weights",
)


class TrainingError(RuntimeError):
    """A training can't go on: the message says why, in one line."""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        step: steps done.
        finished: whether that was all of them; else it was interrupted and can be continued.
        before: what the weights it began with reach on the held-out clips, as `validate` measures.
        after: the same of the averaged weights; what was measured last, where it was interrupted.
        teacher: the same of the teacher itself.
    """

    step: int
    finished: bool
    before: dict[str, float]
    after: dict[str, float]
    teacher: dict[str, float]


def train(
    folder: Path, data: Path | None, settings: FullTrainingSettings, listener: Listener | None = None
) -> Outcome:
    """Trains an exported design, or continues; the weights in its folder are replaced at the end.

    Args:
        folder: of the design, with `config.json` and `model.safetensors`.
        data: a directory of videos; None for the `samples` extra's.
        settings: how.
        listener: hears how it goes, in the main process.

    Raises:
        UserError: the folder, the videos, the teacher or the settings don't fit each other, or what is there
            was trained with others.
        TrainingError: the loss became NaN or infinite.
    """
    # Told that there is no GPU, it joins the processes by gloo; else each would train alone.
    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    listener = listener if listener is not None and accelerator.is_main_process else Listener()
    return _Training(folder, data, settings, listener, accelerator).run()


class _Training:
    """One training's parts, built in the order in which they need each other."""

    def __init__(
        self,
        folder: Path,
        data: Path | None,
        settings: FullTrainingSettings,
        listener: Listener,
        accelerator: Accelerator,
    ) -> None:
        self.settings, self.listener, self.accelerator = settings, listener, accelerator
        self.device: torch.device = accelerator.device
        self.files = TrainingFiles(folder)
        self.decoder: Decoder = load_exported(folder)
        self.teacher = _fitting_teacher(self.decoder, settings, self.device)
        listener.say(f"teacher {self.teacher.name}: {self.teacher.weights.description}")
        perceptual = Lpips("vgg", settings.perceptual.vgg16) if settings.perceptual.weight else None
        self.files.create()
        place, tensors = self._read_checkpoint()
        self.footage = self._footage(data)
        listener.say(f"footage: {self.footage.split}")

        bf16 = settings.precision == "bf16" and self.device.type == "cuda"
        self.objective = Objective(
            self.teacher, settings, perceptual.to(self.device) if perceptual else None, bf16
        )
        torch.manual_seed(settings.seed)
        self._build(place, tensors)

    def _read_checkpoint(self) -> tuple[Place, dict[str, Tensor]]:
        """Where the training stands; step 0 and no tensors where it hasn't begun."""
        here = Place(
            0,
            0,
            self.decoder.config.hash,
            self.teacher.weights.digest,
            self.settings.model_dump(mode="json"),
        )
        if not self.files.checkpoint.exists():
            return here, {}
        place, tensors = load_checkpoint(self.files.checkpoint)
        _refuse_another(place, here, self.files)
        self.listener.say(f"continuing after step {place.step}")
        return place, tensors

    def _footage(self, data: Path | None) -> Footage:
        """The shots to train on: those of the beginning, whatever has come to the folder since."""
        wanted = self.settings.data
        if not self.files.footage.exists() and self.accelerator.is_main_process:
            self.listener.say("looking for scenes in the videos")
            find_footage(
                data,
                frames=self.teacher.frames(wanted.frames),
                validation_frames=self.teacher.frames(wanted.validation_frames),
                size=wanted.size,
                validation=wanted.validation,
                surveyed_frames=wanted.surveyed_frames,
                surveyed_files=wanted.surveyed_files,
                seed=self.settings.seed,
            ).save(self.files.footage)
        self.accelerator.wait_for_everyone()
        footage = Footage.load(self.files.footage)
        if footage.data != (asked := "" if data is None else str(data)):
            raise UserError(
                f"this training was begun on {footage.data or 'the sample clips'}, not on "
                f"{asked or 'the sample clips'}: give that, or train in another folder"
            )
        return footage

    def _build(self, place: Place, tensors: dict[str, Tensor]) -> None:
        """Everything that is trained, in the state of a checkpoint where there is one."""
        settings, data = self.settings, self.settings.data
        frames = self.teacher.frames(data.frames)
        stream = ClipStream(self.footage.train, frames, data.size, settings.seed, mirrored=True)
        self.clips: NumberedClips | LatentStore = (
            NumberedClips(stream)
            if data.clips is None
            else LatentStore(self.files.latents, stream, data.clips)
        )
        latent = self.teacher.encode(torch.zeros(1, 3, frames, data.size, data.size, device=self.device))
        compute_framewise(self.decoder)
        self.student = build_student(self.decoder.to(self.device), self.teacher, settings, latent).to(
            self.device
        )
        self.average = WeightAverage(self.decoder, settings.average)
        self.optimiser = self._adamw(self.student, settings.optimiser.learning_rate)
        self.discriminator: PatchDiscriminator | None = None
        if settings.adversarial is not None:
            adversarial = settings.adversarial
            self.discriminator = PatchDiscriminator(adversarial.width, adversarial.layers).to(self.device)
            self.adversary_optimiser = self._adamw(self.discriminator, adversarial.learning_rate)
        self.step, self.seen = place.step, place.seen
        if tensors:
            self._restore(tensors)
        self.distributed_student = self.accelerator.prepare_model(self.student)
        if self.discriminator is not None:
            self.distributed_discriminator = self.accelerator.prepare_model(self.discriminator)

    def _adamw(self, module: nn.Module, rate: float) -> torch.optim.AdamW:
        wanted = self.settings.optimiser
        return torch.optim.AdamW(
            module.parameters(), lr=rate, betas=wanted.betas, eps=wanted.eps, weight_decay=wanted.weight_decay
        )

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.student.load_state_dict(part(tensors, "student"))
        self.average.weights = {
            name: tensor.to(self.device) for name, tensor in part(tensors, "average").items()
        }
        load_optimiser_state(self.optimiser, _names(self.student), part(tensors, "optimiser"))
        if self.discriminator is not None:
            self.discriminator.load_state_dict(part(tensors, "discriminator"))
            load_optimiser_state(
                self.adversary_optimiser, _names(self.discriminator), part(tensors, "adversary_optimiser")
            )

    def _save(self) -> None:
        """Writes a checkpoint, in the main process."""
        if not self.accelerator.is_main_process:
            return
        tensors = named(self.student.state_dict(), "student") | named(self.average.weights, "average")
        tensors |= named(optimiser_state(self.optimiser, _names(self.student)), "optimiser")
        if self.discriminator is not None:
            tensors |= named(self.discriminator.state_dict(), "discriminator")
            state = optimiser_state(self.adversary_optimiser, _names(self.discriminator))
            tensors |= named(state, "adversary_optimiser")
        place = Place(
            self.step,
            self.seen,
            self.decoder.config.hash,
            self.teacher.weights.digest,
            self.settings.model_dump(mode="json"),
        )
        save_checkpoint(self.files.checkpoint, place, tensors)

    def run(self) -> Outcome:
        """Trains until all steps are done or a signal asks to stop."""
        self._fill_store()
        held_out = self._held_out()
        self.records = Records(self.files.metrics, self.step) if self.accelerator.is_main_process else None
        if self.records is not None and not self.records.has_tensorboard:
            self.listener.say(
                'no TensorBoard: pip install "nas-video-decoders[tensorboard]"; metrics.csv has it all'
            )
        before = self._warm_start(held_out)
        after = before
        steps = self.settings.steps
        with Interruption() as interruption:
            feed = self._feed()
            while self.step < steps:
                values = self._train_step(feed)
                due = self.step % self.settings.validate_every == 0 or self.step == steps
                if due and held_out is not None:
                    after = self._validate(held_out)
                    values |= after
                if self.records is not None:
                    self.records.add(self.step, values)
                self.listener.step(self.step, steps, values["loss"])
                stop = self._anyone(interruption.asked)
                if stop or self.step % self.settings.save_every == 0 or self.step == steps:
                    self._save()
                if stop:
                    break
        finished = self.step >= steps
        if finished and self.accelerator.is_main_process:
            weights = {name: weight.cpu().contiguous() for name, weight in self.average.weights.items()}
            write_whole(self.files.design / "model.safetensors", save(weights, metadata={"format": "pt"}))
        if self.records is not None:
            self.records.close()
        self.accelerator.wait_for_everyone()
        return Outcome(self.step, finished, before, after, held_out.teacher if held_out else {})

    def _fill_store(self) -> None:
        """Encodes clips that are to lie on disk and don't yet, each process its share."""
        if not isinstance(self.clips, LatentStore):
            return
        if self.accelerator.is_main_process:
            self.clips.begin(self.teacher)
        self.accelerator.wait_for_everyone()
        missing = self.clips.missing()
        if missing:
            self.listener.say(f"encoding {len(missing)} clips into {self.files.latents}")
        for number in missing[self.accelerator.process_index :: self.accelerator.num_processes]:
            self.clips.add(number, self.teacher)
        self.accelerator.wait_for_everyone()

    def _held_out(self) -> HeldOut | None:
        """The validation clips, in the main process."""
        if not self.accelerator.is_main_process:
            return None
        data = self.settings.data
        frames = self.teacher.frames(data.validation_frames)
        clips = validation_clips(self.footage, data.validation, frames, data.size, self.settings.seed)
        return HeldOut.of(clips, self.teacher)

    def _warm_start(self, held_out: HeldOut | None) -> dict[str, float]:
        """Keeps the weights that the training begins with, and says what they reach."""
        if held_out is None:
            return {}
        beginning = load_exported(self.files.design)
        if not self.files.warm_start.exists():
            write_whole(self.files.warm_start, (self.files.design / "model.safetensors").read_bytes())
        elif self.step:
            beginning.load_state_dict(load_weights(self.files.warm_start))
        _, measured = validate(beginning.to(self.device), held_out, self.teacher.compression[0])
        self.listener.say(
            f"held out: warm start {measured['psnr']:.2f} dB, teacher {held_out.teacher['psnr']:.2f} dB"
        )
        return measured

    def _feed(self) -> Iterator[dict[str, Tensor]]:
        shares = Shares(
            self.seen,
            self.settings.batch,
            self.accelerator.num_processes,
            self.accelerator.process_index,
        )
        return batches(self.clips, shares, self.settings.data.workers, self.device.type == "cuda")

    def _train_step(self, feed: Iterator[dict[str, Tensor]]) -> dict[str, float]:
        """One step of the optimiser, and of the adversary's in the second phase; returns what is recorded."""
        started = time.perf_counter()
        settings, accelerator = self.settings, self.accelerator
        adversarial = settings.adversarial
        second_phase = adversarial is not None and self.step >= adversarial.start
        discriminator = self.discriminator if second_phase else None
        rate = settings.optimiser.learning_rate * rate_share(self.step, settings)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sums: dict[str, Tensor] = {}
        for micro in range(settings.accumulation):
            batch = next(feed)
            clip = to_unit(batch["clip"].to(self.device))
            latent = sample(*posterior_of(batch, self.teacher), batch["number"], settings.seed)
            waits = micro + 1 < settings.accumulation  # for the last batch to exchange gradients
            with accelerator.no_sync(self.distributed_student) if waits else nullcontext():
                losses = self.objective.student_losses(
                    self.distributed_student, self.decoder.conv_out.conv.weight, discriminator, latent, clip
                )
                (losses.total / settings.accumulation).backward()
            found = {"loss": losses.total.detach()} | losses.parts
            if discriminator is not None:
                with accelerator.no_sync(self.distributed_discriminator) if waits else nullcontext():
                    loss = self.objective.discriminator_loss(
                        self.distributed_discriminator, losses.video, clip
                    )
                    (loss / settings.accumulation).backward()
                found["discriminator"] = loss.detach()
            for name, value in found.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value / settings.accumulation
        norm = nn.utils.clip_grad_norm_(self.student.parameters(), settings.optimiser.gradient_norm)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if discriminator is not None:
            nn.utils.clip_grad_norm_(discriminator.parameters(), settings.optimiser.gradient_norm)
            self.adversary_optimiser.step()
            self.adversary_optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.seen += settings.accumulation * settings.batch * accelerator.num_processes
        self.average.update(self.decoder, self.step)
        values = self._mean(sums) | {"gradient_norm": float(norm), "learning_rate": rate}
        if not math.isfinite(values["loss"]):
            raise TrainingError(
                f"the loss is {values['loss']} at step {self.step}: lower optimiser.learning_rate; the last"
                f" checkpoint is {self.files.checkpoint}"
            )
        return values | {"seconds": time.perf_counter() - started}

    def _mean(self, sums: dict[str, Tensor]) -> dict[str, float]:
        """Losses averaged over processes."""
        names = [name for name in LOSSES if name in sums]
        together = self.accelerator.reduce(torch.stack([sums[name].float() for name in names]), "mean")
        return dict(zip(names, together.tolist(), strict=True))

    def _anyone(self, asked: bool) -> bool:
        """Whether any process was asked to stop, the same answer in all."""
        if self.accelerator.num_processes == 1:
            return asked
        return bool(self.accelerator.reduce(torch.tensor(float(asked), device=self.device), "sum") > 0)

    def _validate(self, held_out: HeldOut) -> dict[str, float]:
        """Measures the averaged weights and draws a picture."""
        current = {name: tensor.clone() for name, tensor in self.decoder.state_dict().items()}
        self.decoder.load_state_dict(self.average.weights)
        try:
            frames, measured = validate(self.decoder, held_out, self.teacher.compression[0])
        finally:
            self.decoder.load_state_dict(current)
        legend = [
            f"step {self.step}: PSNR {measured['psnr']:.2f} dB, teacher {held_out.teacher['psnr']:.2f} dB",
            f"teacher {self.teacher.name}: {self.teacher.weights.description}",
        ]
        columns = {"original": held_out.truth_frames, "teacher": held_out.teacher_frames}
        picture = side_by_side(columns | {"student": frames}, legend)
        picture.save(self.files.frames / f"step-{self.step:07d}.png")
        if self.records is not None:
            self.records.show(self.step, torch.from_numpy(np.array(picture)).permute(2, 0, 1))
        self.listener.say(
            f"step {self.step}: held out {measured['psnr']:.2f} dB, SSIM {measured['ssim']:.4f}"
        )
        return measured


def rate_share(step: int, settings: FullTrainingSettings) -> float:
    """The share of the learning rate after `step` steps: a linear warm-up, then half a cosine."""
    wanted = settings.optimiser
    if step < wanted.warm_up:
        return (step + 1) / (wanted.warm_up + 1)
    done = min(1.0, (step - wanted.warm_up) / max(1, settings.steps - wanted.warm_up))
    return wanted.final_rate + (1 - wanted.final_rate) * 0.5 * (1 + math.cos(math.pi * done))


def _names(module: nn.Module) -> list[str]:
    """The names of a module's parameters in the order in which its optimiser has them."""
    return [name for name, _ in module.named_parameters()]


def _fitting_teacher(decoder: Decoder, settings: FullTrainingSettings, device: torch.device) -> Teacher:
    teacher = load_teacher(settings.teacher.name, settings.teacher.weights, str(device))
    if (ours := described_latents(decoder.config)) != (theirs := described_latents(teacher)):
        raise UserError(f"the design is for {ours}; teacher {teacher.name} has {theirs}")
    return teacher


def _refuse_another(place: Place, here: Place, files: TrainingFiles) -> None:
    """Sees that a checkpoint is of this design, teacher and settings.

    Raises:
        UserError: it isn't; names the first difference.
    """
    if place.design != here.design:
        raise UserError(
            f"{files.checkpoint} is of design {place.design}, not of {here.design} in {files.design}: "
            "remove it to begin anew"
        )
    if place.teacher != here.teacher:
        raise UserError(
            f"{files.checkpoint} was trained on latents of weights {place.teacher[:16]}, not of "
            f"{here.teacher[:16]}: give the same teacher, or remove it to begin anew"
        )
    was, now = _flat(place.settings), _flat(here.settings)
    for key in now:
        if key not in _FREE and was.get(key) != now[key]:
            raise UserError(
                f"{key} is {now[key]}, but this training was begun with {was.get(key)}: put it back, or "
                f"remove {files.folder} to begin anew"
            )


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as `section.key`."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
