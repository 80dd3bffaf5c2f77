"""How many designs to confirm, and which: searches drawn from the table of trainings, and their ends.

    python benchmarks/confirmation.py
    python benchmarks/confirmation.py --searches 1000

**Simulated**, and nothing is trained: a design's PSNR in the table stands for its true one; a search sees it
once with noise, and a confirmation twice, with the noise that repeated seeds have in the table. That the
confirming runs are longer too is left out. Printed is, for the designs kept (of those confirmed, the ones
that no other beats), how much their stated quality is above the true one, and which share of the true front's
hypervolume, over dB and decades of latency, is lost.
"""

import argparse

import moocore
import numpy as np
import pandas as pd
from trainings.table import load

from nas.finalists import finalists
from nas.objectives import parse_objectives

OBJECTIVES = parse_objectives("psnr,latency_ms")
TRAINED = 50  # designs in a search
RUNS = 2  # that confirm a design
COUNTS = (3, 5, 8, 12)  # designs confirmed
SEED = 0

Array = np.ndarray


def noise(trainings: pd.DataFrame) -> float:
    """The standard deviation of designs trained by several seeds, pooled, dB."""
    psnr = trainings.groupby("hash")["psnr"]
    freedom = psnr.count() - 1
    return float(np.sqrt((psnr.var() * freedom).sum() / freedom.sum()))


def front(psnr: Array, latency: Array) -> Array:
    """Indices of the designs that no other beats."""
    return np.flatnonzero(moocore.is_nondominated(np.stack([-psnr, latency], axis=1)))


def lost(kept: Array, psnr: Array, latency: Array) -> float:
    """The share of the hypervolume that designs lack of that of all, from the worst of all, %."""
    points = np.stack([-psnr, np.log10(latency)], axis=1)
    origin = points.max(axis=0)
    whole = moocore.hypervolume(points, ref=origin)
    return 100 * (1 - moocore.hypervolume(points[kept], ref=origin) / whole)


def simulate(trainings: pd.DataFrame, searches: int) -> pd.DataFrame:
    """The ends of searches: a row each, with a pair of columns (dB too high, % lost) a way to end it."""
    rng = np.random.default_rng(SEED)
    deviation = noise(trainings)
    once = trainings.drop_duplicates("hash")
    ends = []
    for _ in range(searches):
        drawn = once.sample(TRAINED, random_state=rng)
        true, latency = drawn["psnr"].to_numpy(), drawn["latency_ms"].to_numpy()
        seen = true + rng.normal(0, deviation, TRAINED)
        again = true + rng.normal(0, deviation / np.sqrt(RUNS), TRAINED)
        searched = front(seen, latency)
        records = [
            (i, {"metrics": {"psnr": seen[i]}, "costs": {"latency_ms": latency[i]}}) for i in range(TRAINED)
        ]
        end = {("not confirmed", "high"): (seen - true)[searched].mean()}
        end["not confirmed", "lost"] = lost(searched, true, latency)
        for count in COUNTS:
            chosen = np.array([i for i, _ in finalists(records, OBJECTIVES, count)])
            for name, some in (
                ("of the front alone", chosen[np.isin(chosen, searched)]),
                ("and those behind it", chosen),
            ):
                kept = some[front(again[some], latency[some])]
                end[f"{count} confirmed, {name}", "high"] = (again - true)[kept].mean()
                end[f"{count} confirmed, {name}", "lost"] = lost(kept, true, latency)
        ends.append(end)
    table = pd.DataFrame(ends)
    return table.set_axis(pd.MultiIndex.from_tuples(table.columns), axis="columns")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=400)
    asked = parser.parse_args()
    trainings = load(preset="cpu-cosine", steps=80).dropna(subset="psnr")
    ends = simulate(trainings, asked.searches)
    print(f"noise of a training: {noise(trainings):.2f} dB\n")
    print("| | stated too high by | hypervolume lost |\n|---|---|---|")
    for name in ends.columns.get_level_values(0).unique():
        high, missing = ends[name]["high"], ends[name]["lost"]
        print(f"| {name} | {high.mean():.2f} dB | {missing.mean():.1f} ± {missing.sem():.1f} % |")


if __name__ == "__main__":
    main()
