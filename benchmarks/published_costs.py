"""What `estimate` says of the published decoders, beside what was published (arXiv 2508.09136, table 2).

    python benchmarks/published_costs.py           # the table of docs/latency.md
    python benchmarks/published_costs.py --fit     # the two fitted figures of the iphone-16-pro profile

iPhone speeds are those of an iPhone 16 Pro at 512x512. Clips of 17 frames (16 for DC, whose decoder gives 4
frames a latent) are an assumption: the paper does not say. The decoders of Hunyuan and Cog are the same, so
they count once in the fit.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version
from math import exp, log, sqrt

from nas.costs import DeviceProfile, estimate, load_device
from nas.costs.estimation import decoder_blocks
from nas.costs.operations import Operation
from nas.costs.roofline import price
from search_space import DecoderConfig, design

RESOLUTION = (512, 512)
PUBLISHED = {  # design: (iPhone frames per second, frames of the clip)
    "turbo-vaed-hunyuan": (10.6, 17),
    "turbo-vaed-cog": (10.6, 17),
    "turbo-vaed-dc": (112.7, 16),
    "turbo-vaed-ltx": (161.8, 17),
}
DISTINCT = ("turbo-vaed-hunyuan", "turbo-vaed-dc", "turbo-vaed-ltx")
TILES = (16, 32, 64, 128, 256)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true", help="fit the profile instead of printing the table")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools", "fvcore"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {packages}\n")
    if arguments.fit:
        print_fit()
    else:
        print_table()


def print_table() -> None:
    profile = load_device("iphone-16-pro")
    print(f"{profile.name}, profile version {profile.version} ({profile.digest}), 512x512, from Core ML")
    print(
        f"{'design':20} {'params':>12} {'TFLOP':>7} {'published':>10} {'estimated':>10} {'error':>7}  peak MB"
    )
    for name, (published, frames) in PUBLISHED.items():
        cost = estimate(design(name), profile.name, RESOLUTION, frames)
        error = cost.fps / published - 1
        print(
            f"{name:20} {cost.params:12,} {cost.flops / 1e12:7.3f} {published:6.1f} fps {cost.fps:6.1f} fps "
            f"{error:+7.1%} {cost.peak_memory_bytes / 1e6:8.0f}{'' if cost.fits else ' does not fit'}"
        )


def print_fit() -> None:
    profile = load_device("iphone-16-pro")
    operations = {name: _operations(design(name), PUBLISHED[name][1]) for name in DISTINCT}

    print("two figures fitted to three decoders, by the width that fills the array:")
    for tile in TILES:
        wide = _with(profile, array_channels=tile)
        print(f"{tile:4} channels: {_described(fitted(wide, operations, DISTINCT), operations)}")

    print("\nleaving one decoder out of the fit:")
    for left_out in DISTINCT:
        rest = [name for name in DISTINCT if name != left_out]
        ratio = _ratio(fitted(profile, operations, rest), operations, left_out)
        print(f"{left_out:20} estimated {ratio - 1:+.1%} of the published time")


def fitted(
    profile: DeviceProfile, operations: dict[str, list[Operation]], names: Iterable[str]
) -> DeviceProfile:
    """`profile` with the vector rate and the share of bandwidth that bring `names` closest to the published.

    The least mean square of log(estimated / published), by a pattern search from the best point of a grid.
    """

    def error(vector: float, share: float) -> float:
        candidate = _with(profile, vector_tflop_s=vector, bandwidth_share=share)
        return sum(log(_ratio(candidate, operations, name)) ** 2 for name in names)

    return _with(profile, **dict(zip(("vector_tflop_s", "bandwidth_share"), _minimum(error), strict=True)))


def _minimum(error: Callable[[float, float], float]) -> tuple[float, float]:
    coarse = [(0.05 * 2**step, share) for step in range(9) for share in (0.4, 0.6, 0.8, 1.0)]
    best, factor = min(coarse, key=lambda candidate: error(*candidate)), 1.5
    while factor > 1.002:
        steps = (1 / factor, 1.0, factor)
        around = [(best[0] * a, min(1.0, best[1] * b)) for a in steps for b in steps]
        nearest = min(around, key=lambda candidate: error(*candidate))
        if error(*nearest) < error(*best):
            best = nearest
        else:
            factor = sqrt(factor)
    return best


def _operations(config: DecoderConfig, frames: int) -> list[Operation]:
    blocks = decoder_blocks(config, RESOLUTION, frames, "trace")
    return [operation for block in blocks for operation in block.program.operations]


def _ratio(profile: DeviceProfile, operations: dict[str, list[Operation]], name: str) -> float:
    fps, frames = PUBLISHED[name]
    return price(operations[name], profile) * fps / (frames * 1e3)


def _with(profile: DeviceProfile, **values: float) -> DeviceProfile:
    figures = {
        name: getattr(profile, name).model_copy(update={"value": value}) for name, value in values.items()
    }
    return profile.model_copy(update=figures)


def _described(profile: DeviceProfile, operations: dict[str, list[Operation]]) -> str:
    ratios = [_ratio(profile, operations, name) for name in DISTINCT]
    spread = exp(sqrt(sum(log(ratio) ** 2 for ratio in ratios) / len(ratios))) - 1
    figures = f"vector {profile.vector_tflop_s.value:.2f} TFLOP/s, share {profile.bandwidth_share.value:.2f}"
    return f"{figures}, error {spread:.1%} ({', '.join(f'{ratio - 1:+.1%}' for ratio in ratios)} in time)"


if __name__ == "__main__":
    main()
