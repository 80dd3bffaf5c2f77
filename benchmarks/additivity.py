"""How far sums of blocks and whole decoders, both converted to Core ML, are apart on random designs.

    python benchmarks/additivity.py [--designs 50] [--space wan] [--width 0.25]

For each design and lowering: the parameters and FLOPs of the sum of its blocks and of the whole decoder,
which must be equal (the command stops where they are not), and the difference in latency, every operation
priced on the unit that takes all (the last of the profile). Beside it the same sum by trace. What is
converted is kept in the cache, so a command that was stopped goes on where it was: a whole decoder takes up
to minutes. Its weights take most of that, so --width narrows every design: the same operations, in seconds.
"""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version

import numpy as np
import torch

from nas.costs import load_device
from nas.costs.blocks import Block, Design, block_of
from nas.costs.hardware import HardwareUnit, hardware
from nas.costs.roofline import price
from nas.lowering import LOWERINGS, Lowering, lower
from search_space import DecoderConfig, SearchSpace, build_decoder

RESOLUTION, FRAMES = (512, 512), 17


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", type=int, default=50)
    parser.add_argument("--space", default="wan")
    parser.add_argument("--width", type=float, default=1.0, help="factor of all widths")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {packages}")
    drawn = f"designs of the space {arguments.space!r} (seed 0), widths x {arguments.width:g}"
    print(f"{drawn}, {FRAMES} frames at 512x512\n")
    profile = load_device("iphone-16-pro")
    *_, unit = hardware(profile).units.values()
    space, rng = SearchSpace.preset(arguments.space), np.random.default_rng(0)
    print(
        f"{'design':12} {'lowering':10} {'M params':>8} {'GFLOP':>7} {'whole ms':>9} {'sum':>8} {'trace':>8}"
    )
    differences: dict[Lowering, list[tuple[float, float]]] = {lowering: [] for lowering in LOWERINGS}
    for _ in range(arguments.designs):
        config = space.sample(rng).narrowed(arguments.width)
        for lowering in LOWERINGS:
            differences[lowering].append(compared(config, lowering, unit))
    for lowering, found in differences.items():
        by_sum, by_trace = np.abs(np.array(found)).T
        print(
            f"\n{lowering}, {len(found)} designs, parameters and FLOPs equal in all:"
            f"\n  sum of blocks to the whole   median {np.median(by_sum):.2%}, largest {by_sum.max():.2%}"
            f"\n  sum by trace to that sum     median {np.median(by_trace):.2%}, largest {by_trace.max():.2%}"
        )


def compared(config: DecoderConfig, lowering: Lowering, unit: HardwareUnit) -> tuple[float, float]:
    """Prints a row; the sum of converted blocks against the whole, and the sum by trace against that sum."""
    design = Design(config)
    latent = design.latent_shape(RESOLUTION, FRAMES)
    with torch.device("meta"):
        decoder = lower(build_decoder(config).eval(), lowering).eval()
    whole = block_of("whole", "whole", decoder, latent, "coreml", "fused")
    blocks = design.blocks(latent, "coreml", lowering, "fused")
    traced = design.blocks(latent, "trace", lowering, "fused")
    for name, figure in (("parameters", params), ("FLOPs", flops)):
        if not figure(blocks) == figure([whole]) == figure(traced):
            raise SystemExit(f"{name} of {config.hash} differ: {figure(blocks)} and {figure([whole])}")
    by_whole, by_sum, by_trace = (milliseconds(chain, unit) for chain in ([whole], blocks, traced))
    against = by_sum / by_whole - 1, by_trace / by_sum - 1
    print(
        f"{config.hash:12} {lowering:10} {params([whole]) / 1e6:8.2f} {flops([whole]) / 1e9:7.0f}",
        f"{by_whole:9.1f}",
        *(f"{difference:+8.2%}" for difference in against),
        flush=True,
    )
    return against


def params(chain: list[Block]) -> int:
    return sum(block.params for block in chain)


def flops(chain: list[Block]) -> int:
    return sum(block.program.flops for block in chain)


def milliseconds(chain: list[Block], unit: HardwareUnit) -> float:
    return float(sum(price(block.program.operations, unit) for block in chain))


if __name__ == "__main__":
    main()
