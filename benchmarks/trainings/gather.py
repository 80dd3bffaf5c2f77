r"""Trains designs of the fixed list and keeps what came of each: one row file a training.

    python benchmarks/trainings/gather.py --out rows --settings gpu --processes 4
    python benchmarks/trainings/gather.py --out rows --settings cpu --processes 14 --minutes 30
    python benchmarks/trainings/gather.py --out rows --settings benchmarks/trainings/gpu-footage.yaml \
        --footage FOOTAGE --study benchmarks/studies/wan-h200 --seeds 0

The third trains on the footage that the stand-in was made of (`python -m nas.teachers.stand_in.footage
FOOTAGE`) and judges by scenes that nothing was trained on, first of all the front of a study.

A training is `nas.distil.distil` with the settings of a search, for `--times` as many steps. With a constant
learning rate and averaged weights every beginning of a run is a run, so the learning curve, measured on all
validation clips, holds the result of the preset itself, of half of it and of every multiple.

Trainings that have a row are skipped, also those of other commands and machines whose rows were copied here;
one that another process is at is left to it. So the command is started again until nothing is missing. It
waits for trainings under way when `--minutes` are over; what is interrupted before its end leaves nothing.
"""

import argparse
import dataclasses
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as processes
from designs import TEACHER, Chosen, front, read

from nas.allocator import keep_freed_memory
from nas.clips import Clips
from nas.distil import DistillationError, distil
from nas.inputs import digest, fitting_clips
from nas.material import Material, prepare
from nas.settings import ClipSettings, Settings, load_settings
from nas.teachers import Teacher, load_teacher
from nas.teachers.stand_in.moving_pictures import Footage
from search_space.errors import UserError

RANKED = 40  # designs that come first, with one seed: those of the study of short runs
REPEATED = 30  # of these, which come again
SEEDS = (0, 1, 2)
SHOTS = 0.25  # share of the clips of `--footage` that are cut from shots, whose motion is real
VERSIONS = ("nas-video-decoders", "torch", "diffusers")


def order(designs: list[Chosen]) -> list[tuple[Chosen, int]]:
    """All trainings, a design and a seed each, the most wanted first."""
    first, *again = SEEDS
    ranked = [(chosen, first) for chosen in designs[:RANKED]]
    repeated = [(chosen, seed) for seed in again for chosen in designs[:REPEATED]]
    return [*ranked, *repeated, *((chosen, first) for chosen in designs[RANKED:])]


def lengthened(settings: Settings, times: int) -> Settings:
    """Settings for `times` as many steps, with two points of the curve for as many steps as there were."""
    training = settings.training.model_copy(
        update={
            "steps": settings.training.steps * times,
            "curve_points": 2 * times,
            "curve_clips": settings.clips.validation,
        }
    )
    return settings.model_copy(update={"training": training})


def wanted(asked: argparse.Namespace) -> list[tuple[Chosen, int]]:
    """The trainings that the arguments ask for, in their order.

    Raises:
        UserError: there are none, or the study or a name is unknown.
    """
    designs = read()
    of_study = [] if asked.study is None else front(asked.study)
    first = {chosen.name for chosen in designs[: asked.designs]}
    trainings = [(chosen, seed) for chosen in of_study for seed in asked.seeds]
    trainings += [
        (chosen, seed) for chosen, seed in order(designs) if chosen.name in first and seed in asked.seeds
    ]
    if asked.names is not None:
        if unknown := set(asked.names) - {chosen.name for chosen in [*of_study, *designs]}:
            raise UserError(f"--names: no design is named {min(unknown)}")
        trainings = [(chosen, seed) for chosen, seed in trainings if chosen.name in asked.names]
    if not trainings:
        raise UserError(f"there is nothing to train: seeds are {', '.join(map(str, SEEDS))}")
    return trainings


def work(
    _index: int,
    trainings: list[tuple[Chosen, int]],
    material: Material,
    settings: Settings,
    shared: dict[str, Any],
    rows: Path,
    deadline: float,
) -> None:
    """Trains what has no row yet, until `time.time()` is past the deadline."""
    if material.device.type == "cpu":
        torch.set_num_threads(1)
        keep_freed_memory()
    for chosen, seed in trainings:
        stem = f"{settings.name}-{settings.training.steps}-{chosen.config.hash}-{seed}"
        path = rows / f"{stem}-{shared['footage'][:8]}-{shared['weights']['digest'][:8]}.json"
        with _claimed(path) as free:
            if time.time() > deadline:
                return
            if free and not path.exists():
                row = shared | _trained(chosen, seed, material, settings)
                _write(path, row)
                print(f"{path.stem}: {row['reason'] or round(row['metrics']['psnr'], 2)}", flush=True)


def _trained(chosen: Chosen, seed: int, material: Material, settings: Settings) -> dict[str, Any]:
    """What a training adds to its row; a design whose training fails has the reason in place of a result."""
    proxy = settings.proxy
    config = chosen.config.narrowed(proxy.width_factor, proxy.minimum_width) if proxy else chosen.config
    row: dict[str, Any] = {
        "name": chosen.name,
        "origin": chosen.origin,
        "hash": chosen.config.hash,
        "config": chosen.config.to_dict(),
        "trained": config.to_dict(),
        "preset": settings.name,
        "settings": settings.to_dict(),
        "seed": seed,
    }
    began = time.process_time()
    try:
        distilled = distil(config, material, settings.training, seed=seed)
    except (DistillationError, torch.OutOfMemoryError) as error:
        return row | {"reason": str(error).splitlines()[0], "metrics": None, "curve": [], "seconds": {}}
    finally:
        if material.device.type == "cuda":
            torch.cuda.empty_cache()
    seconds = distilled.seconds | {"processor": time.process_time() - began}
    result = {"metrics": distilled.metrics, "curve": distilled.curve, "seconds": seconds}
    return row | {"reason": None} | result


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether no other process of this machine is at the training; the claim ends with the process."""
    lock = path.with_suffix(".lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            lock.unlink(missing_ok=True)


def _write(path: Path, row: dict[str, Any]) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(row) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _hardware(device: str) -> str:
    """The name of the chip that trains."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def clips_of(footage: Path, wanted: ClipSettings, teacher: Teacher, seed: int) -> Clips:
    """Clips of the stand-in's footage, those to validate with of the scenes held out from it."""
    scenes = {kind: Footage(footage / kind) for kind in ("train", "held-out")}
    frames, longer = teacher.frames(wanted.frames), teacher.frames(wanted.validation_frames)
    return Clips(
        train=scenes["train"].batch(seed, wanted.train, frames, wanted.size, SHOTS),
        validation=scenes["held-out"].batch(seed, wanted.validation, longer, wanted.size, SHOTS),
        sources=sorted((footage / "train").iterdir()),
        skipped=[],
        split="the stand-in's footage, validated on scenes held out from it",
    )


def provide(
    settings: Settings, weights: str, device: str, footage: Path | None, seed: int
) -> tuple[Material, dict[str, Any]]:
    """What trainings with these settings start from, and what all their rows say of it."""
    teacher = load_teacher(TEACHER, weights=weights, device=device)
    if footage is None:
        clips = fitting_clips(None, settings.clips, teacher, seed)
    else:
        clips = clips_of(footage, settings.clips, teacher, seed)
    material = prepare(teacher, clips, with_features=settings.training.feature_weight > 0)
    return material, {
        "teacher": TEACHER,
        "weights": dataclasses.asdict(teacher.weights),
        "footage": digest(clips),
        "teacher_psnr": material.teacher_psnr,
        "hardware": _hardware(device),
        "versions": {name: version(name) for name in VERSIONS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the row files")
    parser.add_argument("--settings", default="gpu", help="a preset or a YAML file")
    parser.add_argument("--footage", type=Path, default=None, help="of the stand-in, for the sample clips")
    parser.add_argument("--clips-seed", type=int, default=0, help="of the clips, the same for all designs")
    parser.add_argument("--study", type=Path, default=None, help="whose front is trained first")
    parser.add_argument("--weights", default="stand-in", help="of the teacher")
    parser.add_argument("--times", type=int, default=10, help="as many steps as the settings say")
    parser.add_argument("--designs", type=int, default=None, help="the first so many of the list only")
    parser.add_argument("--names", nargs="*", default=None, help="of designs: these only")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--processes", type=int, default=1, help="at a time; on a CPU one thread each")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which none is begun")
    asked = parser.parse_args()
    deadline = time.time() + 60 * asked.minutes

    try:
        preset = load_settings(asked.settings)
        trainings = wanted(asked)
        device = "cpu" if preset.proxy or not torch.cuda.is_available() else "cuda"
        material, shared = provide(preset, asked.weights, device, asked.footage, asked.clips_seed)
    except (UserError, OSError) as error:
        parser.error(str(error))
    shared |= {"preset_steps": preset.training.steps, "processes": asked.processes}
    asked.out.mkdir(parents=True, exist_ok=True)
    arguments = (trainings, material, lengthened(preset, asked.times), shared, asked.out, deadline)
    # Started afresh, as CUDA demands; tensors are shared, so the clips lie in memory once.
    processes.start_processes(work, args=arguments, nprocs=asked.processes, start_method="spawn")


if __name__ == "__main__":
    main()
