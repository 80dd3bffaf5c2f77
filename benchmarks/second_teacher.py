"""What the shipped trainings are worth to a search on another teacher, as a prior: real searches.

    python benchmarks/second_teacher.py
    python benchmarks/second_teacher.py --studies DIR     # takes in DIR/none-SEED and DIR/shipped-SEED first

The second teacher is another stand-in, smaller and made from less footage (`docs/search.md` has the
commands). Nothing here is simulated: each training was made under the preset `cpu-cosine`. The seed of a
search also draws its clips, so levels compare within a seed alone; random searches, orders of designs that
are spread evenly over octaves of latency, were made on the clips of seed 0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from real_searches import drawn, searched
from samplers.scoring import trainings_to

SEARCHES = Path(__file__).parent / "samplers" / "second_teacher.parquet"
KINDS = {"none": "without a prior", "shipped": "with the first teacher's trainings"}
AFTER = (5, 10, 15, 20, 30, 40)  # trainings


def gathered(studies: Path) -> pd.DataFrame:
    """The hypervolume of each search after each of its trainings, one a row."""
    rows = []
    for kind in KINDS:
        for study in sorted(studies.glob(f"{kind}-*")):
            seed = int(study.name.split("-")[1])
            rows += [(kind, seed, number, value) for number, value in enumerate(searched(study), 1)]
    return pd.DataFrame(rows, columns=["prior", "seed", "trainings", "hypervolume"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=Path, help="folder of run directories, to make the table anew")
    asked = parser.parse_args()
    if asked.studies:
        gathered(asked.studies).to_parquet(SEARCHES, index=False)
    table = pd.read_parquet(SEARCHES).set_index(["prior", "seed", "trainings"])["hypervolume"]
    searches = table.unstack("trainings")
    print("Hypervolume of measured quality, dB x decades\n")
    print("| seed | search | " + " | ".join(map(str, AFTER)) + " |\n|---|---|" + "---|" * len(AFTER))
    for seed in searches.index.unique("seed"):
        for kind, name in KINDS.items():
            cells = (f"{searches.loc[kind, seed][number]:.2f}" for number in AFTER)
            print(f"| {seed} | {name} | " + " | ".join(cells) + " |")
    for number in (20, 40):
        after = {
            seed: trainings_to(searches.loc["none", seed][number], searches.loc["shipped", seed].to_numpy())
            for seed in searches.index.unique("seed")
        }
        print(f"\nWhat a search has after {number} trainings without, it has with a prior after", end=" ")
        print(", ".join(f"{value:g}" for value in after.values()), "(seed by seed; inf: not at all)")
    random = drawn(np.random.default_rng(0), weights="path")
    for number in (50, random.shape[1]):
        level = float(random[:, number - 1].mean())
        after = {name: trainings_to(level, searches.loc[kind, 0].to_numpy()) for kind, name in KINDS.items()}
        print(
            f"\nWhat random has after {number} trainings in the mean ({level:.2f}), seed 0 has after", end=" "
        )
        print(", ".join(f"{value:g} {name}" for name, value in after.items()))


if __name__ == "__main__":
    main()
