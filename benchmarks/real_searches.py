"""Real searches by our sampler and by the best other one beside real random ones.

    python benchmarks/real_searches.py benchmarks/studies/wan-cpu

Nothing here is simulated: each training was made under the preset `cpu-cosine` against the stand-in. The
searches of `benchmarks/samplers/real/` are by `benchmarks/real_search.py`, which proposes as the simulated
comparison does; the study is of `nas search`, which stops trainings early. A random search is a random order
of the table's designs that were drawn evenly over octaves of latency and trained by the first seed. Quality
is what each training measured, so the luckiest counts, for all alike; stopped trainings count as trainings
and add nothing.
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

Judge = Callable[[pd.DataFrame], np.ndarray]
"""Says PSNR, dB, of rows whose columns have the designs' parameters, [N]."""

REAL = Path(__file__).parent / "samplers" / "real"
ORDERS = 200  # of the random search
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


def compared() -> pd.DataFrame:
    """The hypervolume of the searches that were run with real trainings: by search and seed, after each."""
    tables = pd.concat(pd.read_csv(path) for path in sorted(REAL.glob("*.csv")))
    return tables.pivot(index=["search", "seed"], columns="trial", values="hypervolume")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    ours = searched(parser.parse_args().study)
    random = drawn(np.random.default_rng(0), load(preset="cpu-cosine", steps=80))
    searches = {f"{name}, seed {seed}": row.to_numpy() for (name, seed), row in compared().iterrows()}
    searches["ours, `nas search`"] = ours
    low, high = np.quantile(random, [0.05, 0.95], axis=0)
    searches |= {"random, mean": random.mean(axis=0), "random, 5 %": low, "random, 95 %": high}
    print(
        f"Hypervolume of measured quality, dB x decades; random: {ORDERS} orders of {random.shape[1]}"
        " designs\n"
    )
    print("| after trainings | " + " | ".join(map(str, AFTER)) + " |\n|---|" + "---|" * len(AFTER))
    for name, curve in searches.items():
        cells = (f"{curve[number - 1]:.2f}" if number <= len(curve) else "" for number in AFTER)
        print(f"| {name} | " + " | ".join(cells) + " |")
    for number in (50, random.shape[1]):
        level = float(random[:, number - 1].mean())
        print(f"\nWhat random has after {number} trainings in the mean ({level:.2f}; inf: not reached):")
        for name, curve in searches.items():
            if not name.startswith("random"):
                print(f"- {name}: after {trainings_to(level, curve):g}")


if __name__ == "__main__":
    main()
