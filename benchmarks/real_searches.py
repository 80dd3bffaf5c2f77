"""A real search by our sampler beside real random ones, drawn from the trainings of the shipped table.

    python benchmarks/real_searches.py benchmarks/studies/wan-cpu

Nothing here is simulated: each training was made under the preset `cpu-cosine` against the stand-in. A
random search is a random order of the table's designs that were drawn evenly over octaves of latency and
trained by the first seed. Quality is what each training measured, so the luckiest counts, for all alike;
stopped trainings count as trainings and add nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from samplers.scoring import hypervolumes, trainings_to
from trainings.table import load

from analysis import load_study

ORDERS = 200  # of the random search
Judge = Callable[[pd.DataFrame], np.ndarray]
"""Says PSNR, dB, of rows whose columns have the designs' parameters, [N]."""

AFTER = (5, 10, 20, 30, 50, 100)  # trainings


def searched(study: Path, judge: Judge | None = None) -> np.ndarray:
    """The hypervolume of a study after each of its trainings, stopped ones included [N].

    Args:
        study: a run directory.
        judge: says the quality of the rows of a table; by default what each training measured.
    """
    table = load_study(study)
    table = table[table["outcome"].isin(["trained", "stopped"])].sort_values("number")
    finished = (table["outcome"] == "trained").to_numpy()
    quality = table["psnr"].to_numpy() if judge is None else judge(table)
    psnr = np.where(finished, quality, -np.inf).clip(min=0)
    return hypervolumes(psnr, table["latency_ms"].to_numpy(dtype=float))


def drawn(rng: np.random.Generator, table: pd.DataFrame, judge: Judge | None = None) -> np.ndarray:
    """The hypervolumes of random searches among a table's trainings, [ORDERS, designs]."""
    table = table[(table["origin"] == "stratum") & (table["seed"] == 0) & table["psnr"].notna()]
    psnr = table["psnr"].to_numpy() if judge is None else judge(table)
    latency = table["latency_ms"].to_numpy()
    return np.array(
        [hypervolumes(psnr[o], latency[o]) for o in (rng.permutation(len(table)) for _ in range(ORDERS))]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    ours = searched(parser.parse_args().study)
    random = drawn(np.random.default_rng(0), load(preset="cpu-cosine", steps=80))
    print(
        f"Hypervolume of measured quality, dB x decades; random: {ORDERS} orders of {random.shape[1]}"
        " designs\n"
    )
    print("| after trainings | ours | random, mean | random, 5 % to 95 % |\n|---|---|---|---|")
    for number in AFTER:
        known = f"{ours[number - 1]:.2f}" if number <= len(ours) else ""
        if number <= random.shape[1]:
            low, high = np.quantile(random[:, number - 1], [0.05, 0.95])
            print(f"| {number} | {known} | {random[:, number - 1].mean():.2f} | {low:.2f} to {high:.2f} |")
        else:
            print(f"| {number} | {known} | | |")
    for number in (50, random.shape[1]):
        level = float(random[:, number - 1].mean())
        print(f"\nWhat random has after {number} trainings, ours has after {trainings_to(level, ours):g}.")


if __name__ == "__main__":
    main()
