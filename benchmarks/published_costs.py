"""What `estimate` says of decoders with published iPhone speeds and memory (arXiv 2508.09136, table 2).

    python benchmarks/published_costs.py             # the tables of docs/latency.md
    python benchmarks/published_costs.py --ideas     # which explanations of the speeds hold
    python benchmarks/published_costs.py --fit       # calibrates and writes the iphone-16-pro profile

Speeds are those of an iPhone 16 Pro at 512x512. Clips of 17 frames (16 for DC, whose decoder gives 4 frames a
latent) are an assumption: the paper does not say. The decoders of Hunyuan and Cog are the same.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from math import prod
from pathlib import Path
from statistics import fmean
from typing import Any

from nas.calibration.fitting import Calibration, fit_profile
from nas.calibration.measurements import read_measurements
from nas.calibration.profile_file import write_profile
from nas.calibration.samples import Sample, Workload, samples
from nas.costs import DeviceProfile, device, estimate, load_device
from nas.costs.blocks import Decodable
from nas.costs.hardware import hardware
from nas.costs.originals import original
from search_space import DecoderConfig, design

FOLDER = Path(__file__).parent / "measurements"
SPECIFICATION = FOLDER / "iphone-16-pro-specification.yaml"
SPEEDS = FOLDER / "iphone-16-pro.csv"
PROFILE = Path(device.__file__).parent / "devices" / "iphone-16-pro.yaml"
MEASURED_ON = "published speeds (arXiv 2508.09136, table 2, at 512x512; 17 or 16 frames a clip assumed)"


@dataclass(frozen=True)
class Published:
    """A row of the published table: frames per second on the iPhone (None: out of memory), frames assumed."""

    decoder: DecoderConfig | Decodable
    fps: float | None
    frames: int


PUBLISHED: dict[str, Published] = {
    "HunyuanVideo": Published(original({"_class_name": "AutoencoderKLHunyuanVideo"}), None, 17),
    "CogVideoX": Published(original({"_class_name": "AutoencoderKLCogVideoX"}), None, 17),
    "Video DC-AE": Published(original({"model_name": "dc-ae-f32t4c128"}), None, 16),
    "LTX-Video": Published(original({"_class_name": "AutoencoderKLLTXVideo"}), 17.7, 17),
    "Turbo-VAED-Hunyuan": Published(design("turbo-vaed-hunyuan"), 10.6, 17),
    "Turbo-VAED-Cog": Published(design("turbo-vaed-cog"), 10.6, 17),
    "Turbo-VAED-DC": Published(design("turbo-vaed-dc"), 112.7, 16),
    "Turbo-VAED-LTX": Published(design("turbo-vaed-ltx"), 161.8, 17),
}
OTHER_SIZES = ((256, 256), (512, 512), (720, 1280))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--fit", action="store_true", help="calibrate and write the profile")
    doing.add_argument("--ideas", action="store_true", help="compare explanations of the speeds")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools", "diffusers"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {packages}\n")
    if arguments.fit:
        write_profile(calibrated(load_device(SPECIFICATION)).profile, PROFILE)
    elif arguments.ideas:
        print_ideas()
    else:
        print_published()
        print_left_out()
        print_other_sizes()


def print_published() -> None:
    profile = load_device("iphone-16-pro")
    print(f"{profile.name}, profile version {profile.version} ({profile.digest}), 512x512, the clip whole")
    print(
        f"{'decoder':19} {'params':>12} {'TFLOP':>7} {'published':>13} {'estimated (90 %)':>24} {'error':>7}"
        f" {'peak MB':>8}  standing"
    )
    for name, row in PUBLISHED.items():
        cost = estimate(row.decoder, profile.name, (512, 512), row.frames)
        whole = cost.modes[0]
        low, high = (row.frames / bound * 1e3 for bound in (whole.latency_high_ms, whole.latency_low_ms))
        published = "out of memory" if row.fps is None else f"{row.fps:.1f} fps"
        estimated = f"{whole.fps:.1f} fps ({low:.0f} to {high:.0f})" if whole.fits else "out of memory"
        error = f"{whole.fps / row.fps - 1:+.1%}" if row.fps is not None and whole.fits else ""
        print(
            f"{name:19} {cost.params:12,} {cost.flops / 1e12:7.3f} {published:>13} {estimated:>24} {error:>7}"
            f" {whole.peak_memory_bytes / 1e6:8,.0f}  {cost.standing if whole.fits else ''}"
        )


def print_left_out() -> None:
    calibration = calibrated(load_device(SPECIFICATION))
    print("\nfitted to the speeds of four distinct decoders, and to the other three (error of the time):")
    for row in calibration.rows:
        print(
            f"{row.subject:24} fitted {row.estimated_ms / row.measured_ms - 1:+6.1%}"
            f"   left out {row.left_out_ms / row.measured_ms - 1:+6.1%}"
        )
    print(f"mean {mean_error(calibration):.1%}, left out {mean_left_out(calibration):.1%}")


def print_other_sizes() -> None:
    sizes = ["x".join(map(str, size)) for size in OTHER_SIZES]
    print("\nestimated frames per second (90 %), best mode\n" + " " * 19, *(f"{size:>24}" for size in sizes))
    for name, row in PUBLISHED.items():
        if row.fps is None or name == "Turbo-VAED-Cog":
            continue
        cells = []
        for size in OTHER_SIZES:
            cost = estimate(row.decoder, "iphone-16-pro", size, row.frames, source="trace")
            low, high = (row.frames / bound * 1e3 for bound in (cost.latency_high_ms, cost.latency_low_ms))
            cells.append(f"{cost.fps:.1f} ({low:.0f} to {high:.0f})")
        print(f"{name:19}", *(f"{cell:>24}" for cell in cells))


def print_ideas() -> None:
    specification = load_device(SPECIFICATION)
    rows = read_measurements(SPEEDS)
    timed = samples(rows, specification, FOLDER)
    (large,) = samples([replace(rows[2], resolution=(720, 1280))], specification, FOLDER)
    names = ("Hunyuan", "DC", "LTX", "LTX-Video")
    print("error of the time of Turbo-VAED-Hunyuan, -DC, -LTX and LTX-Video, its mean, left out of the fit;")
    print("Turbo-VAED-LTX's frames per second at 720x1280; fitted figures\n")
    print(f"{'':62}", *(f"{name:>9}" for name in names), f"{'mean':>6} {'left out':>8} {'720x1280':>8}")
    for idea, (profile, placing) in ideas(specification).items():
        result = fit_profile([placing(sample) for sample in timed], profile, profile.name, MEASURED_ON)
        errors = [f"{row.estimated_ms / row.measured_ms - 1:+9.1%}" for row in result.rows]
        predicted = Workload([placing(large)]).milliseconds(hardware(result.profile)).item()
        figures = [
            f"{path.removeprefix('units.')} {figure.value:.3g}"
            for path, figure in result.profile.figures.items()
            if path in SHOWN
        ]
        averages = f"{mean_error(result):6.1%} {mean_left_out(result):8.1%} {17e3 / predicted:8.1f}"
        print(f"{idea:62}", *errors, averages, ", ".join(figures))


SHOWN = (
    "units.rank5.rates.convolution3d.tflop_s",
    "units.large.rates.convolution3d.tflop_s",
    "units.rank5.memory_gb_s",
    "units.rank5.bandwidths.high_rank_permute",
)
WIDTHS = (16, 32, 48, 64, 96, 128)
WIDTH, RATE, PERMUTE = "rank5 width", "rank5 convolution rate", "rank5 high-rank permute"
Placing = Callable[[Sample], Sample]


def ideas(specification: DeviceProfile) -> dict[str, tuple[DeviceProfile, Placing]]:
    """Explanations of the speeds: a profile each, and what of its units runs what."""

    def as_placed(sample: Sample) -> Sample:
        return sample

    found = {"a width that saturates, fitted (the profile)": (specification, as_placed)}
    for channels in (32, 64, 90):
        prior = _with(specification, _is_width, channels)
        found[f"the same, expected around {channels} channels instead of 45"] = (prior, as_placed)
    for channels in WIDTHS:
        fixed = _without(_with(specification, _is_width, channels), WIDTH)
        found[f"a width of {channels} channels, not fitted"] = (fixed, as_placed)
    flat = _without(_with(specification, _is_width, 1), WIDTH)
    found["width has no effect"] = (flat, as_placed)
    for rate, whose in ((9.9, "the GPU's most by arithmetic"), (17.5, "as the Neural Engine is rated")):
        fixed = _with(specification, lambda path: path == "units.rank5.rates.convolution3d.tflop_s", rate)
        found[f"convolutions at {rate} TFLOP/s, {whose}"] = (_without(fixed, RATE), as_placed)
    quick = _with(specification, lambda path: path.endswith("high_rank_permute"), 51)
    found["permutes of rank 8 as fast as others"] = (_without(quick, PERMUTE), as_placed)
    for megabytes in (24, 48, 64):
        placing = partial(_split, megabytes=megabytes)
        found[f"tensors beyond {megabytes} MB on a slower unit, not width"] = (_with_large(flat), placing)
    return found


def _without(profile: DeviceProfile, group: str) -> DeviceProfile:
    """`profile` without this fit group."""
    return profile.model_copy(update={"fit": tuple(one for one in profile.fit if one.name != group)})


def _is_width(path: str) -> bool:
    return path.startswith("units.rank5") and path.endswith(("full_in", "full_out"))


def _with_large(profile: DeviceProfile) -> DeviceProfile:
    """`profile` with a unit "large", like "rank5" but with a convolution rate of its own to fit."""
    data = profile.model_dump(mode="json")
    data["units"] = {"large": data["units"]["rank5"], **data["units"]}
    (rate,) = [group for group in profile.fit if group.name == RATE]
    figures = [path.replace(".rank5.", ".large.") for path in rate.figures]
    data["fit"] += [{"name": "large convolution rate", "figures": figures, "spread": 2}]
    for group in data["fit"]:
        if group["name"] in ("rank5 bandwidth", PERMUTE):
            group["figures"] = [path.replace(".rank5.", ".*.") for path in group["figures"]]
    return DeviceProfile.model_validate(data)


def _split(sample: Sample, megabytes: float) -> Sample:
    """The chain with operations on larger tensors on the unit "large", at the cost of one change of units."""
    chain = []
    for unit, program in sample.chain:
        sizes = [
            max(prod(program.shapes[i]) for i in (*operation.inputs, *operation.outputs)) * 2
            for operation in program.operations
        ]
        for on, is_large in ((unit, False), ("large", True)):
            operations = tuple(
                operation
                for operation, size in zip(program.operations, sizes, strict=True)
                if (size > megabytes * 1e6) == is_large
            )
            if operations:
                chain.append((on, replace(program, operations=operations)))
    return replace(sample, chain=tuple(sorted(chain, key=lambda link: link[0])))


def _with(profile: DeviceProfile, chosen: Callable[[str], bool], value: float) -> DeviceProfile:
    """`profile` with this value of the figures whose paths are chosen."""
    data = profile.model_dump(mode="json")
    for path in filter(chosen, profile.figures):
        figure: Any = data
        for part in path.split("."):
            figure = figure[part]
        figure["value"] = value
    return DeviceProfile.model_validate(data)


def calibrated(specification: DeviceProfile) -> Calibration:
    timed = samples(read_measurements(SPEEDS), specification, FOLDER)
    return fit_profile(timed, specification, specification.name, MEASURED_ON)


def mean_error(calibration: Calibration) -> float:
    return fmean(abs(row.estimated_ms / row.measured_ms - 1) for row in calibration.rows)


def mean_left_out(calibration: Calibration) -> float:
    return fmean(abs(row.left_out_ms / row.measured_ms - 1) for row in calibration.rows)


if __name__ == "__main__":
    main()
