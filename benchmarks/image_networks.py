"""What published latencies of twelve image networks on an iPhone 12 say of its Neural Engine.

    python benchmarks/image_networks.py          # the profile against what was published
    python benchmarks/image_networks.py --fit    # its fitted figures, and networks left out of the fit

Latencies are of single predictions through Core ML: MobileOne's (arXiv 2206.04040; 224 x 224) and FastViT's
(arXiv 2303.14189; 256 x 256, rounded to 0.1 ms). Apple's page for FastViT's T8 and MA36 on an iPhone 12 Pro
Max says 0.79 and 4.50 ms, mostly on the Neural Engine (huggingface.co/apple/coreml-FastViT-T8).

A prediction starts one program, which is priced as what a block costs that goes to another unit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from math import exp, log

import numpy as np
import torch
from networks.fastvit import fastvit
from networks.mobileone import mobileone
from scipy.optimize import least_squares

from nas.costs.device import DeviceProfile, load_device
from nas.costs.hardware import hardware
from nas.costs.operations import Program, fuse
from nas.costs.roofline import price
from nas.costs.trace import trace

MOBILEONE_MS = {"s0": 0.79, "s1": 0.89, "s2": 1.18, "s3": 1.53, "s4": 1.86}
FASTVIT_MS = {"t8": 0.8, "t12": 1.2, "s12": 1.4, "sa12": 1.6, "sa24": 2.6, "sa36": 3.5, "ma36": 4.6}
MEASURED_MS = {
    **{f"mobileone-{variant}": ms for variant, ms in MOBILEONE_MS.items()},
    **{f"fastvit-{variant}": ms for variant, ms in FASTVIT_MS.items()},
}
FAMILIES: dict[str, tuple[Callable[[str], torch.nn.Module], int]] = {
    "mobileone": (mobileone, 224),
    "fastvit": (fastvit, 256),
}
ERROR = log(1.07)  # what the model leaves unexplained of a latency, one standard deviation

# Before the fit: value, and factor of one standard deviation.
PRIORS = {
    # One dispatch to the M1's Neural Engine takes 0.23 ms (arXiv 2606.22283, chapter 9).
    "switch_us": (230.0, 1.7),
    # The A14's LPDDR4X gives 34.1 GB/s; the M1's engine reaches 51 of 68 GB/s (arXiv 2606.22283, chapter 9).
    "units.neural_engine.memory_gb_s": (25.6, 1.2),
    # The M1's GPU reads the system-level cache at 134 GB/s (github.com/azhirnov/cpu-gpu-arch, Apple-M1.md).
    # The engine has 2 MB of its own in front of it.
    "units.neural_engine.cache_gb_s": (134.0, 2.0),
    # Nothing public says; the rated speed would be used to a seventh.
    "units.neural_engine.rates.depthwise_convolution.tflop_s": (1.5, 3.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true", help="fit the profile instead of printing the table")
    arguments = parser.parse_args()
    profile = load_device("iphone-12")
    programs = {name: traced(name) for name in MEASURED_MS}
    if arguments.fit:
        print_fit(profile, programs)
    else:
        print_table(profile, programs)


def traced(name: str) -> Program:
    """Operations of the network called FAMILY-VARIANT on one image of the size at which it was timed."""
    family, variant = name.split("-")
    build, edge = FAMILIES[family]
    with torch.device("meta"):
        network = build(variant).eval()
    return fuse(trace(network, (1, 3, edge, edge)).program)


def estimated_ms(program: Program, profile: DeviceProfile, factors: dict[str, float]) -> float:
    """Time of one prediction on the Neural Engine of `profile` with its figures multiplied by `factors`."""
    device = hardware(profile, factors)
    return float(price(program.operations, device.units["neural_engine"]) + device.switch * 1e3)


def print_table(profile: DeviceProfile, programs: dict[str, Program]) -> None:
    print(f"{profile.name}, profile version {profile.version} ({profile.digest}), Neural Engine, fp16\n")
    print("| network | GFLOP | MB of weights | published ms | estimated ms | error |")
    print("|---|---|---|---|---|---|")
    errors = []
    for name, program in programs.items():
        estimated, measured = estimated_ms(program, profile, {}), MEASURED_MS[name]
        errors.append(estimated / measured - 1)
        weights = sum(operation.weights for operation in program.operations) * profile.element_bytes / 1e6
        print(
            f"| {name} | {program.flops / 1e9:.2f} | {weights:.1f} | {measured} | {estimated:.2f} "
            f"| {errors[-1]:+.1%} |"
        )
    print(f"\nmean error {np.mean(np.abs(errors)):.1%}, largest {max(np.abs(errors)):.1%}")


def print_fit(profile: DeviceProfile, programs: dict[str, Program]) -> None:
    values, spreads = fitted(profile, programs, list(programs), list(PRIORS))
    for path in PRIORS:
        print(f"{path}: {values[path]:.3g}, spread {spreads[path]:.2f}")
    print("\n| fitted | mean error, each network left out | largest |\n|---|---|---|")
    choices = {"all": list(PRIORS)}
    choices |= {f"all but {held}": [path for path in PRIORS if path != held] for held in PRIORS}
    for choice, free in {**choices, "none": []}.items():
        errors = [error(profile, programs, _others(programs, name), name, free) for name in programs]
        print(f"| {choice} | {_mean(errors)} | {_largest(errors)} |")
    for family in FAMILIES:
        rest = [name for name in programs if not name.startswith(family)]
        errors = [error(profile, programs, rest, name, list(PRIORS)) for name in programs if name not in rest]
        print(f"\nwithout any of {family}: mean error {_mean(errors)}, largest {_largest(errors)}")


def _others(programs: dict[str, Program], left_out: str) -> list[str]:
    return [name for name in programs if name != left_out]


def _mean(errors: Sequence[float]) -> str:
    return f"{np.mean(np.abs(errors)):.1%}"


def _largest(errors: Sequence[float]) -> str:
    return f"{max(map(abs, errors)):.1%}"


def error(
    profile: DeviceProfile,
    programs: dict[str, Program],
    fitted_to: Sequence[str],
    name: str,
    free: Sequence[str],
) -> float:
    """Relative error of the latency of network `name` where the figures are fitted to other networks."""
    values, _ = fitted(profile, programs, fitted_to, free)
    return estimated_ms(programs[name], profile, _factors(profile, values)) / MEASURED_MS[name] - 1


def fitted(
    profile: DeviceProfile, programs: dict[str, Program], names: Sequence[str], free: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of `PRIORS` most likely after the latencies of `names`, and the spreads of the `free` ones.

    Both by path. Figures that are not free stay at their priors.
    """
    centre = np.array([log(PRIORS[path][0]) for path in free])
    width = np.array([log(PRIORS[path][1]) for path in free])
    held = {path: value for path, (value, _) in PRIORS.items() if path not in free}
    if not free:
        return held, {}

    def residuals(logarithms: np.ndarray) -> np.ndarray:
        factors = _factors(profile, {**held, **dict(zip(free, np.exp(logarithms), strict=True))})
        off = [log(estimated_ms(programs[name], profile, factors) / MEASURED_MS[name]) for name in names]
        return np.concatenate([np.array(off) / ERROR, (logarithms - centre) / width])

    found = least_squares(residuals, centre)
    deviations = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    values = {**held, **{path: exp(logarithm) for path, logarithm in zip(free, found.x, strict=True)}}
    return values, {path: exp(deviation) for path, deviation in zip(free, deviations, strict=True)}


def _factors(profile: DeviceProfile, values: dict[str, float]) -> dict[str, float]:
    return {path: value / profile.figures[path].value for path, value in values.items()}


if __name__ == "__main__":
    main()
