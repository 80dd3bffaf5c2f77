"""What a step of distillation takes on a GPU, change by change, and how many trials an hour that makes.

    python benchmarks/step_times.py                 # the table of changes
    python benchmarks/step_times.py --designs 24    # and whole trainings of random designs of the wan space

The teacher's latents, features and clips are random here: they are cached in a search, so that only their
shapes matter. Times are of the device, medians of 10 steps after those that choose kernels.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import torch
from torch.nn import functional

import nas.distil
from nas import channels_last, training_step
from nas.distil import distil
from nas.initialisation import initialise
from nas.material import Material
from nas.quality import to_unit
from nas.settings import TrainingSettings, load_settings
from nas.training_step import EAGER_STEPS
from search_space import DecoderConfig, SearchSpace, build_decoder, design, design_name

SHAPES = {"batch 4, 9x128x128": (4, 9, 128), "batch 1, 17x256x256": (1, 17, 256)}
TEACHER_CHANNELS = 384  # of Wan's block feature
STEPS = 10  # timed


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=0, help="random designs that are trained whole")
    parser.add_argument("--seed", type=int, default=0, help="of those designs")
    arguments = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}\n")
    config = design("turbo-vaed-hunyuan")
    print(f"| ms a step of {design_name(config)} | {' | '.join(SHAPES)} |\n|---|" + "---|" * len(SHAPES))
    for name, measure in VARIANTS.items():
        times = [measure(config, *shape) for shape in SHAPES.values()]
        print(f"| {name} | {' | '.join(f'{ms:.1f}' for ms in times)} |", flush=True)
    if arguments.designs:
        _trainings(arguments.designs, arguments.seed)


def _trainings(count: int, seed: int) -> None:
    """Trains random designs by the GPU preset and prints where the time went."""
    settings = load_settings("gpu")
    clips = settings.clips
    material = _material(clips.train, clips.frames, clips.size, clips.validation, clips.validation_frames)
    space = SearchSpace.preset("wan")
    rng = np.random.default_rng(seed)
    print(
        "\n| design | params M | first step s | build s | train s | validate s |\n|---|---|---|---|---|---|"
    )
    totals, firsts = [], []
    for _ in range(count):
        config = space.sample(rng)
        params = sum(parameter.numel() for parameter in build_decoder(config).parameters())
        started = time.perf_counter()
        seen: list[float] = []

        def first_step(step: int, seen: list[float] = seen, started: float = started) -> None:
            if step == 1:
                torch.cuda.synchronize()
                seen.append(time.perf_counter() - started)

        seconds = distil(config, material, settings.training, on_step=first_step).seconds
        firsts += seen
        totals.append(time.perf_counter() - started)
        parts = " | ".join(f"{seconds[part]:.2f}" for part in ("build", "train", "validate"))
        print(f"| {config.hash[:8]} | {params / 1e6:.1f} | {seen[0]:.2f} | {parts} |", flush=True)
        torch.cuda.empty_cache()
    mean = statistics.mean(totals)
    print(f"\n{count} trainings, {mean:.1f} s in the mean ({min(totals):.1f} to {max(totals):.1f}),", end=" ")
    print(f"{3600 / mean:.0f} an hour; the first step after", end=" ")
    print(f"{statistics.median(firsts):.2f} s, {max(firsts):.2f} s at most")


def _material(
    clips: int, frames: int, size: int, validation: int = 1, validation_frames: int = 9
) -> Material:
    """Random clips, latents and features with Wan's compression, on the GPU."""
    generator = torch.Generator("cuda").manual_seed(0)

    def pixels(number: int, length: int) -> torch.Tensor:
        shape = (number, 3, length, size, size)
        return torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda", generator=generator)

    def latents(number: int, length: int, channels: int) -> torch.Tensor:
        shape = (number, channels, (length + 3) // 4, size // 8, size // 8)
        return torch.randn(shape, device="cuda", generator=generator)

    return Material(
        clips=pixels(clips, frames),
        latents=latents(clips, frames, 16),
        features=latents(clips, frames, TEACHER_CHANNELS).bfloat16(),
        feature_block="mid_block",
        validation_clips=pixels(validation, validation_frames),
        validation_latents=latents(validation, validation_frames, 16),
        teacher_psnr=25.0,
        teacher_frames=torch.zeros(validation, 3, size, size, dtype=torch.uint8),
    )


def _settings(batch: int) -> TrainingSettings:
    return load_settings("gpu").training.model_copy(
        update={"batch": batch, "steps": EAGER_STEPS + 2 + STEPS, "curve_points": 1}
    )


def _plain(config: DecoderConfig, batch: int, frames: int, size: int) -> float:
    """PyTorch's operators under autocast, clips picked by the host, as any training loop does it."""
    material, settings = _material(8 * batch, frames, size), _settings(batch)
    with torch.device("cuda"):
        decoder = initialise(build_decoder(config))
        head = torch.nn.Sequential(
            torch.nn.Conv3d(config.stages[1].width, TEACHER_CHANNELS, 1),
            torch.nn.Conv3d(TEACHER_CHANNELS, TEACHER_CHANNELS, 1),
        )
    parameters = [*decoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, fused=True)

    times = []
    for _ in range(settings.steps):
        torch.cuda.synchronize()
        times.append(time.perf_counter())
        rows = torch.randperm(len(material.clips))[:batch].cuda()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            video, features = decoder(material.latents[rows], return_features=True)
            projected = head(features["up_block_0"])
        loss = functional.l1_loss(video.float(), to_unit(material.clips[rows]))
        loss = loss + 0.1 * functional.mse_loss(projected.float(), material.features[rows].float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.gradient_norm)
        optimizer.step()
    return _median_ms(times)


def _ours(config: DecoderConfig, batch: int, frames: int, size: int) -> float:
    """Steps as distillation makes them; the host is one ahead of the device at most."""
    times: list[float] = []
    material = _material(8 * batch, frames, size)
    distil(config, material, _settings(batch), on_step=lambda step: times.append(time.perf_counter()))
    return _median_ms(times[:-1])  # before the last, the decoder is validated


def _median_ms(times: list[float]) -> float:
    """Between the last of these times, after those of the steps that choose kernels."""
    torch.cuda.empty_cache()
    return 1e3 * float(np.median(np.diff(times[EAGER_STEPS + 2 :])))


@contextmanager
def _with(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Undoes one of the changes while it is measured."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _unrecorded(config: DecoderConfig, batch: int, frames: int, size: int) -> float:
    with _with(training_step, "EAGER_STEPS", 10**6):
        return _ours(config, batch, frames, size)


def _recorded_plain(config: DecoderConfig, batch: int, frames: int, size: int) -> float:
    with _with(nas.distil, "training_form", lambda decoder: decoder):
        return _ours(config, batch, frames, size)


def _without_narrow(config: DecoderConfig, batch: int, frames: int, size: int) -> float:
    with _with(channels_last, "WIDEST", 0):
        return _ours(config, batch, frames, size)


VARIANTS = {
    "PyTorch's operators, autocast, launched one by one": _plain,
    "a recorded step, weights cast at once": _recorded_plain,
    "and channels last, depthwise and norm kernels": _without_narrow,
    "and kernels for few channels": _ours,
    "all of it, but not recorded": _unrecorded,
}


if __name__ == "__main__":
    main()
