"""How far the sources of costs, and sums of blocks and whole decoders, are apart on random designs.

    python benchmarks/cost_sources.py [--designs 8] [--space wan]

Prints for each design the latency by each source and as the sum of blocks or of the whole decoder, then the
largest differences and the time that a design never seen before takes by trace.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterable
from importlib.metadata import version

import numpy as np
import torch

from nas.costs import estimate, load_device
from nas.costs.coreml import coreml
from nas.costs.estimation import Estimate
from nas.costs.hardware import hardware
from nas.costs.operations import Program, fuse
from nas.costs.roofline import chain_ms
from nas.costs.trace import trace
from search_space import SearchSpace, build_decoder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", type=int, default=8)
    parser.add_argument("--space", default="wan")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {packages}")
    print(f"designs of the space {arguments.space!r} (seed 0), 17 frames at 512x512\n")
    device = hardware(load_device("iphone-16-pro"))
    space, rng = SearchSpace.preset(arguments.space), np.random.default_rng(0)
    rows, seconds = [], []
    columns = ("trace", "core ml", "whole trace", "whole core ml")
    print(f"{'design':14} {'GFLOP':>7}", *(f"{column:>14}" for column in columns), " (ms)")
    for _ in range(arguments.designs):
        config = space.sample(rng)
        start = time.perf_counter()
        traced = estimate(config, source="trace")
        seconds.append(time.perf_counter() - start)
        converted = estimate(config, source="coreml")
        with torch.device("meta"):
            decoder = build_decoder(config)
        wholes = fuse(trace(decoder, traced.latent_shape).program), coreml(decoder, traced.latent_shape)
        check_flops(traced, (converted, *wholes))
        row = [
            traced.latency_ms,
            converted.latency_ms,
            *(chain_ms([whole], device) for whole in wholes),
        ]
        rows.append(row)
        print(
            f"{config.hash:14} {traced.flops / 1e9:7.0f}",
            *(f"{latency:14.2f}" for latency in row),
            flush=True,
        )
    by = np.array(rows)
    print("\nlargest difference, with FLOPs equal everywhere:")
    print(f"  trace to core ml, sums of blocks    {worst(by[:, 0], by[:, 1]):.2%}")
    print(f"  sum of blocks to whole, trace       {worst(by[:, 0], by[:, 2]):.2%}")
    print(f"  sum of blocks to whole, core ml     {worst(by[:, 1], by[:, 3]):.2%}")
    print(
        f"a new design by trace: median {1e3 * np.median(seconds[1:]):.0f} ms, the first {seconds[0]:.1f} s"
    )


def check_flops(cost: Estimate, others: Iterable[Estimate | Program]) -> None:
    for other in others:
        if other.flops != cost.flops:
            raise SystemExit(f"FLOPs differ: {cost.flops} and {other.flops}")


def worst(ours: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(ours / reference - 1).max())


if __name__ == "__main__":
    main()
