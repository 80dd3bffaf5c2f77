"""Draws every picture of the documents, from a study and from the measurements that are shipped.

    python benchmarks/pictures.py benchmarks/studies/wan-h200

writes them to docs/images.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pandas as pd
from judgement import FOLDER, UNSEEN, measurements, price
from matplotlib.axes import Axes
from PIL import Image

from analysis import (
    choice_effects,
    importances,
    load_study,
    pareto_front,
    plot_agreement,
    plot_curves,
    plot_effects,
    plot_front,
    plot_hypervolume,
    plot_importances,
    plot_parallel,
    plot_stages,
    save_figure,
)
from nas.cli.published import published_costs
from nas.cli.stage_costs import stage_costs
from nas.costs import load_device

IMAGES = Path(__file__).parents[1] / "docs" / "images"
DEVICE = "cuda"  # of which 30 designs that its profile never saw were measured, in two resolutions


def stages_of_the_front(study: pd.DataFrame) -> Axes:
    """The fastest, the middle and the best design of the front, stage by stage."""
    front = pareto_front(study).sort_values("latency_ms")
    shown = front.iloc[sorted({0, len(front) // 2, len(front) - 1})]
    shown.attrs = front.attrs
    stages = stage_costs(shown)
    return plot_stages(stages.assign(design="trial " + stages["number"].astype(str)))


def unseen_designs(device: str) -> pd.DataFrame:
    """Measured and estimated latency of designs that the device's profile was not fitted to."""
    profile = load_device(FOLDER / f"{device}.yaml")
    rows = []
    for row in measurements(device):
        if row.subject.startswith(UNSEEN):
            cost = price(row, profile)
            low, high = cost.bounds_ms(profile)
            times = {"measured_ms": row.latency_ms, "estimated_ms": cost.latency_ms}
            rows.append(
                {"subject": row.subject, "frames": row.frames, "low_ms": low, "high_ms": high} | times
            )
    return pd.DataFrame(rows)


def main() -> None:
    study = load_study(sys.argv[1])
    pictures: dict[str, Callable[[], Axes]] = {
        "front": lambda: plot_front(study, published=published_costs(study)),
        "hypervolume": lambda: plot_hypervolume(study),
        "curves": lambda: plot_curves(study),
        "parallel": lambda: plot_parallel(study),
        "stages": lambda: stages_of_the_front(study),
        "importance": lambda: plot_importances(importances(study), study),
        "effects": lambda: plot_effects(choice_effects(study), study),
        "agreement": lambda: plot_agreement(unseen_designs(DEVICE)),
    }
    IMAGES.mkdir(exist_ok=True)
    for name, draw in pictures.items():
        path = IMAGES / f"{name}.png"
        save_figure(draw().figure, path)
        # A palette is enough for few colours, and a third of the bytes.
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
        print(f"{path.relative_to(IMAGES.parents[1])} ({path.stat().st_size / 1000:.0f} kB)", flush=True)


if __name__ == "__main__":
    matplotlib.use("Agg")
    main()
