"""What a training sees, by number: clips, and where they are kept, the posterior of their latents.

Numbers run from 0 on without end. A training's place is the number of the next clip, so continuing it needs
no other state, and processes share numbers out: which clips a step sees does not depend on how many
there are.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nas.aside import write_whole
from nas.clips.stream import ClipStream
from nas.quality import to_unit
from nas.teachers import Teacher
from nas.weights_file import load_weights
from search_space.errors import UserError

_RECORD = "latents.json"


class NumberedClips(Dataset[dict[str, Tensor]]):
    """Clips that are encoded where they are trained on: `number`, and `clip` uint8 `[3, T, H, W]`."""

    def __init__(self, clips: ClipStream) -> None:
        self.clips = clips

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return {"number": torch.tensor(number), "clip": self.clips[number]}


class LatentStore(Dataset[dict[str, Tensor]]):
    """Clips on disk with the `mean` and `std` `[C, t, h, w]` of their latents, shuffled anew each time.

    One safetensors file a clip, which appears whole or not at all, so that filling the folder can be stopped.
    """

    def __init__(self, folder: Path, clips: ClipStream, count: int) -> None:
        self.folder, self.clips, self.count = folder, clips, count

    def begin(self, teacher: Teacher) -> None:
        """Makes the folder, or sees that what is there is of this teacher and these clips.

        Raises:
            UserError: it is of others.
        """
        record = {
            "teacher": teacher.weights.digest,
            "frames": self.clips.frames,
            "size": self.clips.size,
            "seed": self.clips.seed,
            "shots": len(self.clips.shots),
        }
        path = self.folder / _RECORD
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(record, indent=2).encode())
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        for key, value in record.items():
            if found.get(key) != value:
                raise UserError(
                    f"{self.folder} holds latents of another {key} ({str(found.get(key))[:16]}, not "
                    f"{str(value)[:16]}): remove it, and they are made anew"
                )

    def missing(self) -> list[int]:
        """The numbers of clips that aren't there yet."""
        return [number for number in range(self.count) if not self._path(number).exists()]

    def add(self, number: int, teacher: Teacher) -> None:
        """Cuts, encodes and keeps a clip.

        Raises:
            UserError: the file can't be written.
        """
        clip = self.clips[number]
        mean, std = teacher.posterior(to_unit(clip[None]))
        tensors = {"clip": clip, "mean": mean[0].cpu().contiguous(), "std": std[0].cpu().contiguous()}
        write_whole(self._path(number), save(tensors))

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        epoch, place = divmod(number, self.count)
        order = np.random.default_rng((self.clips.seed, epoch)).permutation(self.count)
        return {"number": torch.tensor(number)} | load_weights(self._path(int(order[place])))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.safetensors"


@dataclass(frozen=True)
class Shares:
    """Which numbers each process gets of each batch.

    A step sees `accumulation * processes * batch` clips. Its numbers go to the processes in turn, a batch at
    a time, so one process with twice the accumulation sees the same batches as two.
    """

    first: int
    batch: int
    processes: int
    process: int

    def __iter__(self) -> Iterator[list[int]]:
        start = self.first + self.process * self.batch
        while True:
            yield list(range(start, start + self.batch))
            start += self.processes * self.batch


def batches(
    clips: NumberedClips | LatentStore, shares: Shares, workers: int, pin: bool
) -> Iterator[dict[str, Tensor]]:
    """Batches without end, each entry stacked to `[B, ...]`; `workers` processes read ahead."""
    loader = DataLoader(
        clips,
        batch_sampler=shares,
        num_workers=workers,
        pin_memory=pin,
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_leave_signals_to_the_trainer,
    )
    return iter(loader)


def _leave_signals_to_the_trainer(worker: int) -> None:
    """Ctrl-C and a scheduler's SIGTERM reach a whole group: the step under way still needs its batches."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def posterior_of(batch: dict[str, Tensor], teacher: Teacher) -> tuple[Tensor, Tensor]:
    """Mean and deviation `[B, C, t, h, w]` of a batch's latents, on the teacher's device."""
    if "mean" in batch:
        return batch["mean"].to(teacher.device), batch["std"].to(teacher.device)
    return teacher.posterior(to_unit(batch["clip"].to(teacher.device)))


def sample(mean: Tensor, std: Tensor, numbers: Tensor, seed: int) -> Tensor:
    """One latent of each posterior `[B, C, t, h, w]`; the same number and seed always give the same noise."""
    noise = [_noise(mean.shape[1:], int(number), seed) for number in numbers]
    return mean + std * torch.stack(noise).to(mean.device)


def _noise(shape: torch.Size, number: int, seed: int) -> Tensor:
    state = np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))
    return torch.randn(shape, generator=generator)
