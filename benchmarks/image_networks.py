"""What published latencies of twelve image networks on an iPhone 12 say of its Neural Engine.

    python benchmarks/image_networks.py          # the profile against what was published
    python benchmarks/image_networks.py --fit    # writes the profile, and leaves networks out of the fit

Latencies are of single predictions through Core ML: MobileOne's (arXiv 2206.04040; 224 x 224) and FastViT's
(arXiv 2303.14189; 256 x 256, rounded to 0.1 ms). Apple's page for FastViT's T8 and MA36 on an iPhone 12 Pro
Max says 0.79 and 4.50 ms, mostly on the Neural Engine (huggingface.co/apple/coreml-FastViT-T8).

A prediction hands an image to the engine, which costs what a switch of units does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from math import sqrt
from pathlib import Path
from statistics import fmean

import torch
from networks.fastvit import fastvit
from networks.mobileone import mobileone

from nas.calibration.fitting import fit_profile
from nas.calibration.measurements import Measurement
from nas.calibration.profile_file import write_profile
from nas.calibration.samples import Sample, Workload
from nas.costs import DeviceProfile, device, load_device
from nas.costs.hardware import hardware
from nas.costs.operations import ProgramBuilder, fuse
from nas.costs.trace import trace

NAME = "iphone-12"
SPECIFICATION = Path(__file__).parent / "measurements" / f"{NAME}-specification.yaml"
PROFILE = Path(device.__file__).parent / "devices" / f"{NAME}.yaml"
MEASURED_ON = "published latencies of image networks (MobileOne, arXiv 2206.04040; FastViT, arXiv 2303.14189)"

MOBILEONE_MS = {"s0": 0.79, "s1": 0.89, "s2": 1.18, "s3": 1.53, "s4": 1.86}
FASTVIT_MS = {"t8": 0.8, "t12": 1.2, "s12": 1.4, "sa12": 1.6, "sa24": 2.6, "sa36": 3.5, "ma36": 4.6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true", help="fit the profile instead of printing the table")
    arguments = parser.parse_args()
    families = [
        [sample(mobileone, variant, 224, ms, 0.005) for variant, ms in MOBILEONE_MS.items()],
        [sample(fastvit, variant, 256, ms, 0.05) for variant, ms in FASTVIT_MS.items()],
    ]
    if arguments.fit:
        print_fit(families)
    else:
        print_table([network for family in families for network in family])


def sample(
    build: Callable[[str], torch.nn.Module], variant: str, edge: int, ms: float, half_unit: float
) -> Sample:
    """A network on one image, timed to within `half_unit` of the last digit that was published, ms."""
    with torch.device("meta"):
        network = build(variant).eval()
    program = fuse(trace(network, (1, 3, edge, edge)).program)
    measurement = Measurement(
        subject=f"{build.__name__}-{variant}",
        config_hash="",
        resolution=(edge, edge),
        frames=1,
        device=NAME,
        unit="neural_engine",
        lowering="",
        latency_ms=ms,
        spread=half_unit / sqrt(3) / ms,
        samples=1,
    )
    image = ProgramBuilder((1, 3, edge, edge))  # handed over by another unit
    handed_over = image.build(*image.add("copy", "image", [0], [(1, 3, edge, edge)]))
    return Sample(measurement, (("rank5", handed_over), ("neural_engine", program)))


def print_table(networks: Sequence[Sample]) -> None:
    profile = load_device(NAME)
    print(f"{profile.name}, profile version {profile.version} ({profile.digest}), Neural Engine, fp16\n")
    print("| network | GFLOP | MB of weights | published ms | estimated ms | error |")
    print("|---|---|---|---|---|---|")
    errors = differences(profile, networks)
    for network, error in zip(networks, errors, strict=True):
        measured, program = network.measurement.latency_ms, network.chain[-1][1]
        weights = sum(operation.weights for operation in program.operations) * profile.element_bytes / 1e6
        print(
            f"| {network.measurement.subject} | {program.flops / 1e9:.2f} | {weights:.1f} | {measured} "
            f"| {measured * (1 + error):.2f} | {error:+.1%} |"
        )
    print(f"\n{described(errors)}")


def print_fit(families: Sequence[Sequence[Sample]]) -> None:
    specification = load_device(SPECIFICATION)
    networks = [network for family in families for network in family]
    calibration = fit_profile(networks, specification, NAME, MEASURED_ON)
    write_profile(calibration.profile, PROFILE)
    for group in specification.fit:
        path = next(path for path in specification.figures if fnmatchcase(path, group.figures[0]))
        before, after = (profile.figures[path].value for profile in (specification, calibration.profile))
        print(f"{path}: {after:.3g}, before {before:g}")
    print(f"\nfitted to all: {described(differences(calibration.profile, networks))}")
    alone = [row.left_out_ms / row.measured_ms - 1 for row in calibration.rows]
    print(f"each left out in turn: {described(alone)}")
    for family in families:
        rest = [network for network in networks if network not in family]
        profile = fit_profile(rest, specification, NAME, MEASURED_ON).profile
        left_out = family[0].measurement.subject.split("-")[0]
        print(f"all of {left_out} left out: {described(differences(profile, family))}")
    print(f"nothing fitted: {described(differences(specification, networks))}")
    print(f"\nwrote {PROFILE.name}: run benchmarks/scaled_profiles.py")


def differences(profile: DeviceProfile, networks: Sequence[Sample]) -> list[float]:
    """Estimated over published latency of each network, less 1."""
    estimated = Workload(networks).milliseconds(hardware(profile))[:, 0]
    return [
        float(ms / network.measurement.latency_ms - 1)
        for ms, network in zip(estimated, networks, strict=True)
    ]


def described(errors: Sequence[float]) -> str:
    sizes = [abs(error) for error in errors]
    return f"mean error {fmean(sizes):.1%}, largest {max(sizes):.1%}"


if __name__ == "__main__":
    main()
