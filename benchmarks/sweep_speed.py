"""How long the tables of a space take to fill, to read and to add up, and a block that was never converted.

    python benchmarks/sweep_speed.py [--space wan] [--blocks 12]

Every figure is taken with empty caches of its own, so nothing that was priced or converted before counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import torch

from nas.costs import load_device
from nas.costs.coreml import coreml
from nas.costs.tables.space_costs import SpaceCosts
from nas.lowering import LOWERINGS
from nas.lowering.blocks import lower_block
from nas.sweep import exact_front
from search_space import SearchSpace, Stage
from search_space.config import DecoderConfig
from search_space.decoder import StageBlocks
from search_space.design_arrays import draw

DESIGNS, REPEATS = 200_000, 5
WIDTHS = (64, 128, 256, 384)
CONVOLUTIONS = ("dense", "dw5", "spatial")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", default="wan")
    parser.add_argument("--blocks", type=int, default=12, help="blocks that are converted")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools", "numpy"))
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()} {platform.system()}, {cores} cores, Python {platform.python_version()}")
    print(packages)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        print_tables(SearchSpace.preset(arguments.space))
    print_blocks(arguments.blocks)


def print_tables(space: SearchSpace) -> None:
    profile = load_device("iphone-16-pro")
    designs = draw(space, np.random.default_rng(0), DESIGNS)
    few = designs[:1]
    print(
        f"\nspace of {space.teacher}, {space.size:.3g} designs by trace, 17 frames of 512x512, {profile.name}"
    )
    print(f"{seconds(lambda: SpaceCosts(space, profile).costs(few)):8.1f} s  to fill all tables")
    print(f"{seconds(lambda: SpaceCosts(space, profile).costs(few)):8.1f} s  to read them from disk again")
    costs = SpaceCosts(space, profile)
    costs.costs(few)
    times = [seconds(lambda: costs.costs(designs)) for _ in range(REPEATS)]
    median = statistics.median(times)
    a_second = f"{DESIGNS / median:,.0f} a second"
    print(f"{median:8.2f} s  for {DESIGNS:,} designs on one core, median of {REPEATS}: {a_second}")
    print(f"{seconds(lambda: exact_front(costs)):8.1f} s  for the exact front")


def print_blocks(count: int) -> None:
    print("\nblocks converted for the first time, after one that loads the libraries:")
    print(f"{'convolution':12} {'lowering':10} {'M weights':>9} {'s':>6}")
    times = []
    for number in range(-1, count):
        conv = CONVOLUTIONS[number % len(CONVOLUTIONS)]
        width = WIDTHS[number // len(CONVOLUTIONS) % len(WIDTHS)]
        lowering = LOWERINGS[number % len(LOWERINGS)]
        with torch.device("meta"):
            stage = StageBlocks(DecoderConfig(16, (Stage(width, 1, conv),) * 5), 1).eval()
            block = lower_block(stage.resnets[0], lowering).eval()
        shape = (1, width, 5, 64, 64) if block.takes == "clip" else (5, width, 64, 64)
        taken = seconds(lambda block=block, shape=shape: coreml(block, shape))
        if number >= 0:
            weights = sum(parameter.numel() for parameter in block.parameters())
            print(f"{conv:12} {lowering:10} {weights / 1e6:9.2f} {taken:6.2f}", flush=True)
            times.append(taken)
    print(f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s")


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
