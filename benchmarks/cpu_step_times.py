"""What a step of distillation takes on a CPU, change by change, and where a whole training's time goes.

    python benchmarks/cpu_step_times.py                 # the table of changes
    python benchmarks/cpu_step_times.py --trainings 12  # and whole trainings of random designs

Designs are narrowed as the preset `cpu` says, clips and latents random: only their shapes matter. Times are
medians of 10 steps after the first few, of the processor, and with two threads of the clock on the wall.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from random_material import random_material
from torch import Tensor, nn
from torch.nn import functional

import nas.distil
from nas.allocator import keep_freed_memory
from nas.cpu_kernels import depthwise
from nas.depthwise import compute_framewise
from nas.distil import distil
from nas.material import Material
from nas.settings import Settings, load_settings
from nas.training_form import training_form
from search_space import DecoderConfig, SearchSpace, build_decoder, design

DESIGNS = ("turbo-vaed-hunyuan", "flash-vaed-wan", "taehv")
FEATURE_CHANNELS = 96  # of the stand-in's block
FIRST, STEPS = 4, 10  # not timed, timed


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=int, default=0, help="of random designs, whole")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    settings = load_settings("cpu")
    material = random_material(settings.clips, FEATURE_CHANNELS)
    space, rng = SearchSpace.preset("wan"), np.random.default_rng(0)
    designs = {name: design(name) for name in DESIGNS}
    designs |= {f"random {config.hash[:6]}": config for config in (space.sample(rng) for _ in range(2))}
    narrowed = [_narrowed(config, settings) for config in designs.values()]
    print(f"{len(os.sched_getaffinity(0))} cores, PyTorch {torch.__version__}\n")
    print(f"| ms a step | {' | '.join(designs)} |\n|---|{'---|' * len(designs)}")
    for name, changed in VARIANTS.items():
        with changed():
            times = [_step_ms(config, material, settings) for config in narrowed]
        print(f"| {name} | {' | '.join(f'{ms:.0f}' for ms in times)} |", flush=True)
    print(f"\n| ms a validation clip, decoded | {' | '.join(designs)} |\n|---|{'---|' * len(designs)}")
    for count in (1, 2, 4):
        times = [_clip_ms(config, material, count) for config in narrowed]
        print(f"| {count} at a time | {' | '.join(f'{ms:.0f}' for ms in times)} |", flush=True)
    if asked.trainings:
        _trainings([space.sample(rng) for _ in range(asked.trainings)], material, settings)


def _trainings(configs: list[DecoderConfig], material: Material, settings: Settings) -> None:
    """Trains designs by the preset and prints where the time went."""
    print("\n| design | build s | train s | validate s | processor s |\n|---|---|---|---|---|")
    totals = []
    for config in configs:
        began = time.process_time()
        seconds = distil(_narrowed(config, settings), material, settings.training).seconds
        totals.append(time.process_time() - began)
        parts = " | ".join(f"{seconds[part]:.2f}" for part in ("build", "train", "validate"))
        print(f"| {config.hash[:8]} | {parts} | {totals[-1]:.2f} |", flush=True)
    spread = f"{min(totals):.1f} to {max(totals):.1f}"
    print(f"\n{statistics.mean(totals):.1f} s of a processor in the mean ({spread})")


def _narrowed(config: DecoderConfig, settings: Settings) -> DecoderConfig:
    assert settings.proxy is not None
    return config.narrowed(settings.proxy.width_factor, settings.proxy.minimum_width)


def _step_ms(config: DecoderConfig, material: Material, settings: Settings) -> float:
    times: list[float] = []
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    few = settings.training.model_copy(update={"steps": FIRST + STEPS + 1, "curve_points": 1})
    distil(config, material, few, on_step=lambda step: times.append(clock()))
    return 1e3 * float(np.median(np.diff(times[FIRST:-1])))  # before the last, the decoder is validated


@torch.no_grad()
def _clip_ms(config: DecoderConfig, material: Material, count: int) -> float:
    """Of decoding one of `count` validation clips together, the median of several times."""
    decoder, times = training_form(build_decoder(config)), []
    for latents in material.validation_latents.split(count) * 2:
        began = time.process_time()
        decoder(latents)
        times.append(time.process_time() - began)
    return 1e3 * statistics.median(times) / count


@contextmanager
def _computed_as(form: Callable[[nn.Module], nn.Module]) -> Iterator[None]:
    """With decoders in another form."""
    nas.distil.training_form = form  # type: ignore[assignment]
    try:
        yield
    finally:
        nas.distil.training_form = training_form


@contextmanager
def _own_gradients() -> Iterator[None]:
    """With the gradients of depthwise convolutions as PyTorch and oneDNN compute them."""

    def convolve(clip: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        edge = weight.shape[-1] // 2
        return functional.conv3d(clip, weight, bias, padding=(0, edge, edge), groups=len(weight))

    ours, depthwise.depthwise_conv3d = depthwise.depthwise_conv3d, convolve
    try:
        yield
    finally:
        depthwise.depthwise_conv3d = ours


@contextmanager
def _threads() -> Iterator[None]:
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(1)


VARIANTS = {
    "PyTorch's operators": lambda: _computed_as(lambda decoder: decoder),
    "depthwise frame by frame": lambda: _computed_as(compute_framewise),
    "channels last, oneDNN's own gradients": _own_gradients,
    "channels last, our gradients of depthwise convolutions": lambda: _computed_as(training_form),
    "the same without oneDNN": lambda: torch.backends.mkldnn.flags(enabled=False),
    "the same with two threads": _threads,
}


if __name__ == "__main__":
    main()
