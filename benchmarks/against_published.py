"""What designs that a search found reach beside the published ones, all trained ten times as long as in it.

    python benchmarks/against_published.py
    python benchmarks/against_published.py --picture docs/images/against-published.png

Each was trained for 2,800 steps at full width on the stand-in's footage, by one seed, and is judged by clips
of scenes that neither it nor the teacher was trained on (`benchmarks/trainings/gpu-footage.yaml`): the front
of a search of 100 trainings of 280 steps on other footage, the published designs, and others of the list. The
second PSNR is of a cosine to zero from twice the rate. Latency is estimated, the teacher a stand-in: a small
one, whose latents small decoders can decode. What large ones are for on real weights, this can't show.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from trainings.table import load

from search_space.catalogue import TITLES

STEPS = 2800
STUDY = "wan-h200"
PUBLISHED = {name: TITLES[name] for name in ("turbo-vaed-hunyuan", "flash-vaed-wan", "taehv")}
COLUMNS = ("latency_ms", "params", "flops", "peak_memory_bytes", "psnr", "ssim", "teacher_psnr")


def trained() -> pd.DataFrame:
    """One row a design, fastest first: its costs, PSNR and SSIM, and `cosine`, its PSNR by that schedule."""
    designs = load(preset="gpu-footage", steps=STEPS).set_index("name")
    cosine = load(preset="gpu-footage-cosine", steps=STEPS).set_index("name")["psnr"]
    return designs[[*COLUMNS]].assign(cosine=cosine).sort_values("latency_ms")


def table(designs: pd.DataFrame) -> str:
    """The table, in Markdown."""
    lines = [
        "| design | ms | M parameters | GFLOP | MB | PSNR, dB | SSIM | PSNR, cosine |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in designs.iterrows():
        cosine = "" if pd.isna(row["cosine"]) else f"{row['cosine']:.2f}"
        lines.append(
            f"| {PUBLISHED.get(str(name), name)} | {row['latency_ms']:.0f} | {row['params'] / 1e6:.1f} "
            f"| {row['flops'] / 1e9:.0f} | {row['peak_memory_bytes'] / 1e6:.0f} | {row['psnr']:.2f} "
            f"| {row['ssim']:.3f} | {cosine} |"
        )
    return "\n".join(lines)


def sooner(designs: pd.DataFrame) -> list[str]:
    """For each published design, the fastest found one that is at least as good."""
    found = designs[designs.index.str.startswith(STUDY)]
    lines = []
    for name, shown in PUBLISHED.items():
        published = designs.loc[name]
        better = found[found["psnr"] >= published["psnr"]]
        if better.empty:
            lines.append(f"{shown}, {published['psnr']:.2f} dB: none of the front is as good")
            continue
        first = better.iloc[0]
        times = published["latency_ms"] / first["latency_ms"]
        gain = first["psnr"] - published["psnr"]
        lines.append(
            f"{shown}, {published['psnr']:.2f} dB at {published['latency_ms']:.0f} ms: {better.index[0]} has "
            f"{gain:+.2f} dB at {first['latency_ms']:.0f} ms, in 1/{times:.0f} of the time with "
            f"1/{published['params'] / first['params']:.0f} of the parameters"
        )
    return lines


def draw(designs: pd.DataFrame, to: Path) -> None:
    """PSNR against latency: found, published and other designs, and the teacher."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    found = designs[designs.index.str.startswith(STUDY)]
    others = designs.drop([*found.index, *PUBLISHED])
    axes.plot(found["latency_ms"], found["psnr"], "o-", color="tab:blue", label="front of the search")
    axes.plot(others["latency_ms"], others["psnr"], "o", color="lightgrey", label="other designs of the list")
    published = designs.loc[list(PUBLISHED)]
    axes.plot(published["latency_ms"], published["psnr"], "D", color="tab:red", label="published designs")
    for name, row in published.iterrows():
        beside, align = ((8, 2), "left") if name == "flash-vaed-wan" else ((-6, -13), "right")
        place = (row["latency_ms"], row["psnr"])
        axes.annotate(PUBLISHED[str(name)], place, beside, textcoords="offset points", ha=align, fontsize=9)
    axes.axhline(designs["teacher_psnr"].iloc[0], color="grey", linestyle="--", label="stand-in teacher")
    axes.set(
        xscale="log",
        xlabel="ms for 17 frames of 512x512 on iphone-16-pro, estimated",
        ylabel=f"PSNR after {STEPS:,} steps, dB",
        title="Held-out scenes, stand-in teacher",
    )
    axes.legend(loc="lower right", fontsize=9)
    figure.savefig(to, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--picture", type=Path, help="drawn there too")
    asked = parser.parse_args()
    designs = trained()
    teacher = designs["teacher_psnr"].iloc[0]
    print(f"{STEPS} steps on the stand-in's footage, scenes held out; stand-in teacher: {teacher:.2f} dB;")
    print("latency estimated for 17 frames of 512x512 on iphone-16-pro\n")
    print(table(designs) + "\n")
    print("\n".join(sooner(designs)))
    print("\nOne seed, one rate: lower ones, which large designs may want, were not tried.")
    if asked.picture:
        draw(designs, asked.picture)


if __name__ == "__main__":
    main()
