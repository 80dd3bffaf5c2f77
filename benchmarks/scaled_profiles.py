"""Profiles of devices that nobody measured: the iPhone 16 Pro's figures, scaled by public sources.

    python benchmarks/scaled_profiles.py     # writes the profiles again, after the iPhone 16 Pro's changed

Only the Neural Engine of the iPhone 12 stays as it is in its profile: it was fitted (image_networks.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import exp, hypot, log
from pathlib import Path
from typing import Any

import yaml

from nas.costs import device, load_device
from nas.costs.device import DeviceProfile

FOLDER = Path(device.__file__).parent / "devices"
MEASURED = "iphone-16-pro"
HEADER = (
    f"# Written by `python benchmarks/scaled_profiles.py` from {MEASURED}.yaml and what public sources say.\n"
)

OF_THE_FIT = ("switch_us", "fit", "ensemble", "residual", "coverage", "calibration")  # kept with the engine's


@dataclass(frozen=True)
class Ratio:
    """A figure over the iPhone 16 Pro's: its value, the factor of one standard deviation, and why."""

    value: float
    spread: float
    source: str


@dataclass(frozen=True)
class Chip:
    """A device by ratios: of the GPU's rates, the Neural Engine's, bandwidths; then figures of its own."""

    description: str
    gpu: Ratio
    neural_engine: Ratio | None  # None where its profile has figures of its own
    memory: Ratio
    cache_mb: Ratio
    app_memory_gb: tuple[float, str]


GEEKBENCH = "Geekbench 6 Metal scores, 26,976 of an iPhone 15 Pro Max to 32,848 (macworld.com, 2024-09-11)"
M4_GPU = Ratio(10 / 6, 1.2, "10 GPU cores of the same family for 6 (apple.com)")
M4_ENGINE = Ratio(
    38 / 35, 1.2, "rated 38 TOPS to 35 (apple.com); 10.9 to 12.6 TFLOP/s fp16 were measured (maderix/ANE)"
)
M4_MEMORY = Ratio(120 / 60, 1.15, "120 GB/s (apple.com) to 60; 100 were measured (arXiv 2502.05317)")
UNKNOWN_CACHE = Ratio(1, 1.5, "assumed: the size is not published")

CHIPS = {
    "iphone-12": Chip(
        "iPhone 12 and 12 Pro (A14), Core ML on all compute units, fp16",
        Ratio(4 / 6, 1.3, "4 GPU cores of an older family for 6 (wikipedia.org, Apple A14)"),
        None,
        Ratio(34.1 / 60, 1.1, "34.1 GB/s to 60 (topcpu.net)"),
        Ratio(16 / 24, 1.3, "16 MB to 24 (wikipedia.org, Apple A14)"),
        (2, "assumed: half of the 4 GB of an iPhone 12"),
    ),
    "iphone-15-pro": Chip(
        "iPhone 15 Pro (A17 Pro), Core ML on all compute units, fp16",
        Ratio(26976 / 32848, 1.1, GEEKBENCH),
        Ratio(1, 1.1, "rated 35 TOPS as well (apple.com)"),
        Ratio(1 / 1.17, 1.05, "17 % less bandwidth (apple.com, of the A18 Pro)"),
        Ratio(1, 1.3, "24 MB as well, as commonly listed"),
        (4, "assumed: half of its 8 GB"),
    ),
    "ipad-pro-m4": Chip(
        "iPad Pro with M4 and 8 GB, Core ML on all compute units, fp16",
        M4_GPU,
        M4_ENGINE,
        M4_MEMORY,
        UNKNOWN_CACHE,
        (
            5,
            "what an iPad Pro gives an app without entitlement (macrumors.com, 2021-09-17); 8 GB iPads gave "
            "6 with it up to iPadOS 26.3 and 3 from 26.4 on (developer.apple.com/forums/thread/826325)",
        ),
    ),
    "mac-m4": Chip(
        "Mac with M4 and 16 GB, Core ML on all compute units, fp16",
        M4_GPU,
        M4_ENGINE,
        M4_MEMORY,
        UNKNOWN_CACHE,
        (10.7, "assumed: two thirds of its 16 GB, what Metal usually recommends as a working set"),
    ),
}


def main() -> None:
    measured = load_device(MEASURED)
    for name, chip in CHIPS.items():
        path = FOLDER / f"{name}.yaml"
        previous = load_device(name) if path.exists() else None
        text = HEADER + yaml.dump(
            scaled(measured, name, chip, previous), sort_keys=False, width=10**6, default_flow_style=None
        )
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {load_device(path).digest}")


def scaled(measured: DeviceProfile, name: str, chip: Chip, previous: DeviceProfile | None) -> dict[str, Any]:
    """The profile of `chip`, as YAML holds it; `previous` is the one that it replaces."""
    ratios = [
        ("units.gpu.rates.*.tflop_s", chip.gpu),
        ("units.gpu.vector_tflop_s", chip.gpu),
        ("units.gpu.bandwidths.*", chip.memory),
        ("units.gpu.memory_gb_s", chip.memory),
        ("units.gpu.cache_gb_s", chip.memory),
        ("units.*.cache_mb", chip.cache_mb),
    ]
    if chip.neural_engine is not None:
        ratios += [
            ("units.neural_engine.rates.*.tflop_s", chip.neural_engine),
            ("units.neural_engine.vector_tflop_s", chip.neural_engine),
            ("units.neural_engine.memory_gb_s", chip.memory),
        ]
    profile = measured.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for path in measured.figures:
        for pattern, ratio in ratios:
            if fnmatchcase(path, pattern):
                _scale(_at(profile, path), ratio)
    value, source = chip.app_memory_gb
    profile |= {
        "name": name,
        "description": chip.description,
        "app_memory_gb": {"value": value, "source": source},
        "residual": dict(profile["residual_beyond"]),
        "calibration": f"no decoder was measured on it: {MEASURED}'s figures, scaled to its chip",
    }
    profile.pop("coverage", None)
    if chip.neural_engine is None:
        assert previous is not None
        kept = previous.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        profile["units"]["neural_engine"] = kept["units"]["neural_engine"]
        profile |= {key: kept[key] for key in OF_THE_FIT}
    return profile


def _at(profile: dict[str, Any], path: str) -> dict[str, Any]:
    figure = profile
    for part in path.split("."):
        figure = figure[part]
    return figure


def _scale(figure: dict[str, Any], ratio: Ratio) -> None:
    figure["value"] = float(f"{figure['value'] * ratio.value:.3g}")
    figure["spread"] = round(exp(hypot(log(figure.get("spread", 1)), log(ratio.spread))), 2)
    figure["source"] = f"the iPhone 16 Pro's times {ratio.value:.2f}: {ratio.source}"


if __name__ == "__main__":
    main()
