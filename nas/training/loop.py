"""`nas train`: from an exported design to a finished decoder, by the published method, on any number of GPUs.

One process, or as many as `accelerate launch` or `torchrun` start. Everything random is a function of the
seed and of a clip's number, so a training that is continued ends with the weights of one that was never
stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import save
from torch import Tensor

from nas.aside import write_whole
from nas.card import describe_training
from nas.clips.stream import ClipStream, Footage, find_footage, validation_clips
from nas.export import CARD, WEIGHTS, load_exported
from nas.frames import side_by_side
from nas.inputs import latents as described_latents
from nas.listener import Listener
from nas.perceptual import Lpips
from nas.teachers import Teacher, load_teacher
from nas.training.checkpoint import Place, load_checkpoint, part, save_checkpoint
from nas.training.continuing import refuse_another
from nas.training.files import TrainingFiles
from nas.training.interruption import Interruption
from nas.training.latents import LatentStore, NumberedClips, Shares, batches
from nas.training.objective import Objective
from nas.training.records import Records
from nas.training.settings import FullTrainingSettings
from nas.training.state import TrainingState
from nas.training.stepping import Stepper
from nas.training.validation import HeldOut, validate
from nas.training_form import training_form
from nas.weights_file import load_weights
from search_space.counting import plural
from search_space.decoder import Decoder
from search_space.errors import UserError


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
        teacher: the same of the teacher itself. All three are empty but in the main process.
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
    """One training, from its folder to its end."""

    def __init__(
        self,
        folder: Path,
        data: Path | None,
        settings: FullTrainingSettings,
        listener: Listener,
        accelerator: Accelerator,
    ) -> None:
        self.settings, self.listener, self.accelerator = settings, listener, accelerator
        self.is_main = accelerator.is_main_process
        device = accelerator.device
        self.files = TrainingFiles(folder)
        decoder = load_exported(folder)
        self.teacher = _fitting_teacher(decoder, settings, device)
        listener.say(f"teacher {self.teacher.name}: {self.teacher.weights.description}")
        perceptual = (
            Lpips("vgg", settings.perceptual.vgg16).to(device) if settings.perceptual.weight else None
        )
        self.files.create()
        place, tensors = self._checkpoint(decoder)
        self.footage = self._footage(data)
        listener.say(f"footage: {self.footage.split}")

        bf16 = settings.precision == "bf16" and device.type == "cuda"
        objective = Objective(self.teacher, settings, perceptual, bf16)
        if self.is_main:
            write_whole(self.files.used, settings.to_yaml().encode())
        frames, size = self.teacher.frames(settings.data.frames), settings.data.size
        stream = ClipStream(self.footage.train, frames, size, settings.seed, mirrored=True)
        kept = settings.data.clips
        self.clips = NumberedClips(stream) if kept is None else LatentStore(self.files.latents, stream, kept)
        training_form(decoder.to(device))
        latent = self.teacher.encode(torch.zeros(1, 3, frames, size, size, device=device))
        self.state = TrainingState(decoder, self.teacher, settings, latent)
        if tensors:
            self.state.restore(tensors, place.step, place.seen)
        self.stepper = Stepper(self.state, objective, self.teacher, settings, accelerator)

    def run(self) -> Outcome:
        """Trains until all steps are done or a signal asks to stop."""
        state, settings = self.state, self.settings
        self._fill_store()
        held_out = self._held_out()
        before = after = self._warm_start(held_out)
        self.records = Records(self.files.metrics, state.step) if self.is_main else None
        if self.records is not None and not self.records.has_tensorboard:
            self.listener.say("for TensorBoard: pip install tensorboard; metrics.csv has it all")
        feed = self._feed()
        with Interruption() as interruption:
            while state.step < settings.steps:
                values = self.stepper.step(feed)
                if not math.isfinite(values["loss"]):
                    raise TrainingError(
                        f"the loss is {values['loss']} at step {state.step}: lower optimiser.learning_rate; "
                        f"the last checkpoint is {self.files.checkpoint}"
                    )
                is_last = state.step == settings.steps
                if held_out is not None and (is_last or state.step % settings.validate_every == 0):
                    after = self._validate(held_out)
                    values |= after
                if self.records is not None:
                    self.records.add(state.step, values)
                self.listener.progress(f"loss {values['loss']:.4f}", state.step, settings.steps)
                stop = self._anyone(interruption.asked)
                if stop or is_last or state.step % settings.save_every == 0:
                    self._save()
                if stop:
                    break
        if self.records is not None:
            self.records.close()
        finished = state.step >= settings.steps
        outcome = Outcome(state.step, finished, before, after, held_out.teacher if held_out else {})
        if finished and held_out is not None:
            self._finish(outcome, held_out)
        self.accelerator.wait_for_everyone()
        return outcome

    def _place(self, decoder: Decoder, step: int, seen: int) -> Place:
        settings = self.settings.model_dump(mode="json")
        return Place(step, seen, decoder.config.hash, self.teacher.weights.digest, settings)

    def _checkpoint(self, decoder: Decoder) -> tuple[Place, dict[str, Tensor]]:
        """Where the training stands; step 0 and no tensors where it hasn't begun."""
        beginning = self._place(decoder, 0, 0)
        if not self.files.checkpoint.exists():
            return beginning, {}
        place, tensors = load_checkpoint(self.files.checkpoint)
        weights = part(tensors, "average")
        refuse_another(place, beginning, weights, decoder.state_dict(), self.files.checkpoint)
        self.listener.say(f"continuing after step {place.step}")
        return place, tensors

    def _save(self) -> None:
        if self.is_main:
            place = self._place(self.state.decoder, self.state.step, self.state.seen)
            save_checkpoint(self.files.checkpoint, place, self.state.tensors())

    def _footage(self, data: Path | None) -> Footage:
        """The shots to train on: those of the beginning, whatever has come to the folder since."""
        wanted = self.settings.data
        if self.is_main and not self.files.footage.exists():
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

    def _fill_store(self) -> None:
        """Encodes clips that are to lie on disk and don't yet, each process its share."""
        if not isinstance(self.clips, LatentStore):
            return
        if self.is_main:
            self.clips.begin(self.teacher)
        self.accelerator.wait_for_everyone()
        if missing := self.clips.missing():
            self.listener.say(f"encoding {plural(len(missing), 'clip')} into {self.files.latents}")
        self.accelerator.wait_for_everyone()  # else a process would list what another has begun to add
        share = missing[self.accelerator.process_index :: self.accelerator.num_processes]
        for done, number in enumerate(share):
            self.listener.progress("encoding", done, len(share))
            self.clips.add(number, self.teacher)
        self.accelerator.wait_for_everyone()

    def _feed(self) -> Iterator[dict[str, Tensor]]:
        processes, process = self.accelerator.num_processes, self.accelerator.process_index
        shares = Shares(self.state.seen, self.settings.batch, processes, process)
        pin = self.accelerator.device.type == "cuda"
        return batches(self.clips, shares, self.settings.data.workers, pin)

    def _held_out(self) -> HeldOut | None:
        """The validation clips, in the main process."""
        if not self.is_main:
            return None
        data = self.settings.data
        frames = self.teacher.frames(data.validation_frames)
        clips = validation_clips(self.footage, data.validation, frames, data.size, self.settings.seed)
        return HeldOut.of(clips, self.teacher)

    def _warm_start(self, held_out: HeldOut | None) -> dict[str, float]:
        """Keeps the weights that the training begins with, and says what they reach."""
        if held_out is None:
            return {}
        if not self.files.warm_start.exists():
            write_whole(self.files.warm_start, (self.files.design / WEIGHTS).read_bytes())
        beginning = load_weights(self.files.warm_start)
        _, measured = self._measured(beginning, held_out)
        reached = f"warm start {measured['psnr']:.2f} dB, teacher {held_out.teacher['psnr']:.2f} dB"
        self.listener.say(f"held out: {reached}")
        return measured

    def _measured(self, weights: dict[str, Tensor], held_out: HeldOut) -> tuple[Tensor, dict[str, float]]:
        """`validate` of the decoder with other weights than it is being trained with."""
        decoder = self.state.decoder
        current = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
        decoder.load_state_dict(weights)
        try:
            return validate(decoder, held_out, self.teacher.compression[0])
        finally:
            decoder.load_state_dict(current)

    def _validate(self, held_out: HeldOut) -> dict[str, float]:
        """Measures the averaged weights and draws a picture."""
        step = self.state.step
        frames, measured = self._measured(self.state.average.weights, held_out)
        legend = [
            f"step {step}: PSNR {measured['psnr']:.2f} dB, teacher {held_out.teacher['psnr']:.2f} dB",
            f"teacher {self.teacher.name}: {self.teacher.weights.description}",
        ]
        columns = {"original": held_out.truth_frames, "teacher": held_out.teacher_frames}
        picture = side_by_side(columns | {"student": frames}, legend)
        picture.save(self.files.frames / f"step-{step:07d}.png")
        if self.records is not None:
            self.records.show(step, torch.from_numpy(np.array(picture)).permute(2, 0, 1))
        self.listener.say(f"step {step}: held out {measured['psnr']:.2f} dB, SSIM {measured['ssim']:.4f}")
        return measured

    def _anyone(self, asked: bool) -> bool:
        """Whether any process was asked to stop, the same answer in all."""
        if self.accelerator.num_processes == 1:
            return asked
        asked_here = torch.tensor(float(asked), device=self.accelerator.device)
        return bool(self.accelerator.reduce(asked_here, "sum") > 0)

    def _finish(self, outcome: Outcome, held_out: HeldOut) -> None:
        """Puts the averaged weights in place, and says in the design's card, if it has one, what they are."""
        weights = {name: weight.cpu().contiguous() for name, weight in self.state.average.weights.items()}
        write_whole(self.files.design / WEIGHTS, save(weights, metadata={"format": "pt"}))
        data, shape = self.settings.data, "x".join(map(str, held_out.clips.shape[2:]))
        card = describe_training(
            self.files.design / CARD,
            steps=outcome.step,
            seen=f"{plural(self.state.seen, 'clip')} of {data.frames}x{data.size}x{data.size}",
            held_out=f"{plural(len(held_out.clips), 'held-out clip')} of {shape}",
            before=outcome.before,
            after=outcome.after,
            teacher=outcome.teacher,
            weights=self.teacher.weights,
        )
        if card is not None:
            write_whole(self.files.design / CARD, card.encode())


def _fitting_teacher(decoder: Decoder, settings: FullTrainingSettings, device: torch.device) -> Teacher:
    teacher = load_teacher(settings.teacher.name, settings.teacher.weights, str(device))
    if (ours := described_latents(decoder.config)) != (theirs := described_latents(teacher)):
        raise UserError(f"the design is for {ours}; teacher {teacher.name} has {theirs}")
    return teacher
