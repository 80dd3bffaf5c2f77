"""Profiles of devices that nobody measured: the iPhone 16 Pro's figures, scaled by public sources.

    python benchmarks/scaled_profiles.py     # writes the profiles again, after the iPhone 16 Pro's changed

Only the Neural Engine of the iPhone 12 stays as it is in its profile: it was fitted (image_networks.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import exp, hypot, log, sqrt
from pathlib import Path
from typing import Any

import yaml

from nas.costs import device, load_device
from nas.costs.device import DeviceProfile
from nas.costs.ensemble import log_normal

FOLDER = Path(device.__file__).parent / "devices"
MEASURED = "iphone-16-pro"
HEADER = (
    f"# Written by `python benchmarks/scaled_profiles.py` from {MEASURED}.yaml and what public sources say.\n"
)

OF_THE_ENGINE = ("switch_us", "residual", "coverage", "calibration")  # kept with its figures


@dataclass(frozen=True)
class Ratio:
    """A figure over the iPhone 16 Pro's: its value, the factor of one standard deviation, and why."""

    value: float
    spread: float
    source: str


@dataclass(frozen=True)
class Chip:
    """A device by ratios: of the GPU's rates, the Neural Engine's, bandwidths; then figures of its own.

    `fitted_engine` says that the Neural Engine's figures of its profile were fitted, and stay.
    """

    description: str
    gpu: Ratio
    neural_engine: Ratio
    memory: Ratio
    cache_mb: Ratio
    app_memory_gb: tuple[float, str]
    fitted_engine: bool = False

    @property
    def rank5(self) -> Ratio:
        """Of whatever runs programs of rank 5: the middle of both processors', with a spread that covers
        both."""
        both = (self.gpu, self.neural_engine)
        apart = abs(log(self.gpu.value / self.neural_engine.value)) / 2
        own = max(log(ratio.spread) for ratio in both)
        return Ratio(
            sqrt(self.gpu.value * self.neural_engine.value),
            exp(hypot(apart, own)),
            f"between the GPU's, {self.gpu.value:.2f} ({self.gpu.source}), and the Neural Engine's, "
            f"{self.neural_engine.value:.2f} ({self.neural_engine.source}), as nothing says which runs it",
        )


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
        Ratio(11 / 17.5, 1.2, "11 TFLOP/s, as rated (wikipedia.org, Apple A14), to half of 35 TOPS"),
        Ratio(34.1 / 60, 1.1, "34.1 GB/s to 60 (topcpu.net)"),
        Ratio(16 / 24, 1.3, "16 MB to 24 (wikipedia.org, Apple A14)"),
        (2, "assumed: half of the 4 GB of an iPhone 12"),
        fitted_engine=True,
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
    ratios = {
        "chips: rank5": (("units.rank5.rates.*.tflop_s", "units.rank5.vector_tflop_s"), chip.rank5),
        "chips: bandwidth": (
            ("units.rank5.bandwidths.*", "units.rank5.memory_gb_s", "units.rank5.cache_gb_s"),
            chip.memory,
        ),
        "chips: cache": (("units.rank5.cache_mb",), chip.cache_mb),
    }
    if not chip.fitted_engine:
        ratios |= {
            "chips: neural engine": (
                ("units.neural_engine.rates.*.tflop_s", "units.neural_engine.vector_tflop_s"),
                chip.neural_engine,
            ),
            "chips: bandwidth": (
                (*ratios["chips: bandwidth"][0], "units.neural_engine.memory_gb_s"),
                chip.memory,
            ),
            "chips: cache": (("units.*.cache_mb",), chip.cache_mb),
        }
    profile = measured.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for path in measured.figures:
        for patterns, ratio in ratios.values():
            if any(fnmatchcase(path, pattern) for pattern in patterns):
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
    if chip.fitted_engine:
        assert previous is not None
        kept = previous.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        profile["units"]["neural_engine"] = kept["units"]["neural_engine"]
        profile |= {key: kept[key] for key in OF_THE_ENGINE}
        _join_groups(profile, kept)
    _add_groups(profile, ratios)
    return profile


def _join_groups(profile: dict[str, Any], kept: Mapping[str, Any]) -> None:
    """Makes the fit groups those of `profile` for rank-5 programs, and of `kept` for the Neural Engine."""
    fit, columns, parts = [], [], []
    for source, start in ((profile, "rank5"), (kept, "neural engine")):
        places = [place for place, group in enumerate(source["fit"]) if group["name"].startswith(start)]
        fit += [source["fit"][place] for place in places]
        columns += [source["fit"][place]["name"] for place in places]
        parts.append([[row[place] for place in places] for row in source["ensemble"]["rows"]])
    rows = [[*one, *other] for one, other in zip(*parts, strict=True)]
    profile |= {"fit": fit, "ensemble": {"columns": columns, "rows": rows}}


def _add_groups(profile: dict[str, Any], ratios: Mapping[str, tuple[tuple[str, ...], Ratio]]) -> None:
    """Adds a fit group for each ratio, for what it scales is as uncertain together."""
    rows = profile["ensemble"]["rows"]
    for name, (patterns, ratio) in ratios.items():
        profile["fit"].append({"name": name, "figures": list(patterns), "spread": round(ratio.spread, 2)})
        profile["ensemble"]["columns"].append(name)
        drawn = log_normal(name, round(ratio.spread, 2), len(rows))
        for row, factor in zip(rows, drawn, strict=True):
            row.append(float(f"{factor:.4g}"))


def _at(profile: dict[str, Any], path: str) -> dict[str, Any]:
    figure = profile
    for part in path.split("."):
        figure = figure[part]
    return figure


def _scale(figure: dict[str, Any], ratio: Ratio) -> None:
    figure["value"] = float(f"{figure['value'] * ratio.value:.3g}")
    figure["source"] = f"the iPhone 16 Pro's times {ratio.value:.2f}: {ratio.source}"


if __name__ == "__main__":
    main()
