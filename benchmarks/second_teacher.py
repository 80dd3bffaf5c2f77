"""What the shipped trainings are worth to a search on another teacher, as a prior: real searches.

    python benchmarks/second_teacher.py
    python benchmarks/second_teacher.py --studies DIR --random TABLE

The second teacher is another stand-in, smaller and made from less footage (`docs/search.md` has the
commands). All trainings are real, made under the preset `cpu-cosine`. The seed of a search also draws its
clips, so levels compare within a seed alone. Random searches are orders of designs that are spread evenly
over octaves of latency, trained on the same clips.

The first table has what trainings measured, so that the luckiest of a search count. In the second, which is
**simulated** in so far, the designs that were trained have the quality that a surrogate expects of them. It
is fitted to the trainings of 170 designs on this teacher, for each of these without its own.

The second command makes the shipped figures anew, from the searches DIR/none-SEED and DIR/shipped-SEED and a
table of trainings, by `benchmarks/trainings/gather.py --clips-seed SEED` and `merge.py --to TABLE`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from real_searches import ORDERS, Judge, drawn, searched
from samplers.scoring import trainings_to
from surrogate.model import Surrogate, benchmark
from surrogate.noise import fit_noise
from surrogate.rows import STEPS, read, teachers
from trainings.table import load

from analysis import load_study
from search_space.design_arrays import canonical

SEARCHES = Path(__file__).parent / "samplers" / "second_teacher.parquet"
KINDS = {"none": "without a prior", "shipped": "with the first teacher's trainings"}
AFTER = (5, 10, 15, 20, 30, 40)  # trainings
FOLDS = 10  # of the second teacher's trainings
RANDOM = 50  # trainings of the random searches that the others are held against


def expecting() -> Judge:
    """What the second teacher's trainings in the table tell to expect of designs, but for their own."""
    space, costs = benchmark()
    first, second, *_ = (read(space, weights) for weights in teachers())
    noise = fit_noise(first)
    surrogate = Surrogate(space, costs.costs, second, noise)
    fold = np.random.default_rng(0).permutation(len(second)) % FOLDS
    known = {}
    for number in range(FOLDS):
        others = Surrogate(space, costs.costs, second[fold != number], noise)
        left_out = second.designs[fold == number]
        known |= {
            design.tobytes(): quality
            for design, quality in zip(left_out, others.quality(left_out), strict=True)
        }
    names = [parameter.name for parameter in space.asked]

    def expected(table: pd.DataFrame) -> np.ndarray:
        values = table[[f"param.{name}" for name in names]].itertuples(index=False)
        configs = [space.config(dict(zip(names, row, strict=True))) for row in values]
        designs = canonical(space, np.array([space.positions(config) for config in configs]))
        by_all = surrogate.quality(designs)
        return np.array(
            [known.get(design.tobytes(), one) for design, one in zip(designs, by_all, strict=True)]
        )

    return expected


def gathered(studies: Path, trainings: pd.DataFrame) -> pd.DataFrame:
    """The hypervolumes of each search after each of its trainings, one a row; of the random ones the mean."""
    rows = []
    judge = expecting()
    found = [path for kind in KINDS for path in sorted(studies.glob(f"{kind}-*"))]
    for study in found:
        kind, seed = study.name.split("-")
        rows += _rows(kind, int(seed), searched(study), searched(study, judge))
        if kind == "none":
            footage = load_study(study).attrs["study"]["footage"]
            on_its_clips = trainings[trainings["footage_digest"] == footage]
            both = (drawn(np.random.default_rng(0), on_its_clips, by) for by in (None, judge))
            rows += _rows("random", int(seed), *(orders.mean(axis=0) for orders in both))
    return pd.DataFrame(rows, columns=["search", "seed", "trainings", "measured", "expected"])


def _rows(
    kind: str, seed: int, measured: np.ndarray, expected: np.ndarray
) -> list[tuple[str, int, int, float, float]]:
    return [
        (kind, seed, number, *both)
        for number, both in enumerate(zip(measured.tolist(), expected.tolist(), strict=True), 1)
    ]


def show(searches: pd.DataFrame) -> None:
    """Prints the table of hypervolumes, a row a search, and after how many trainings levels are reached."""
    seeds = searches.index.unique("seed")
    print("| seed | search | " + " | ".join(map(str, AFTER)) + " |\n|---|---|" + "---|" * len(AFTER))
    names = {"random": f"random, mean of {ORDERS} orders", **KINDS}
    for seed in seeds:
        for kind, name in names.items():
            cells = (f"{searches.loc[kind, seed][number]:.2f}" for number in AFTER)
            print(f"| {seed} | {name} | " + " | ".join(cells) + " |")
    for kind, name in names.items():
        cells = (f"{searches.loc[kind][number].mean():.2f}" for number in AFTER)
        print(f"| all | {name} | " + " | ".join(cells) + " |")
    levels = {f"random has after {RANDOM} trainings in the mean": ("random", RANDOM)}
    levels |= {f"a search has after {number} without a prior": ("none", number) for number in (20, 40)}
    for words, (reference, number) in levels.items():
        print(f"\nWhat {words}, seed by seed (inf: not at all):")
        for kind, name in KINDS.items():
            after = [
                trainings_to(searches.loc[reference, seed][number], searches.loc[kind, seed].to_numpy())
                for seed in seeds
            ]
            if kind != reference:
                print(f"- {', '.join(f'{value:g}' for value in after)} {name}; median {np.median(after):g}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=Path, help="folder of run directories, to make the figures anew")
    parser.add_argument("--random", type=Path, help="with it: the table of random trainings")
    asked = parser.parse_args()
    if (asked.studies is None) != (asked.random is None):
        parser.error("--studies and --random go together")
    if asked.studies:
        trainings = load(asked.random, preset="cpu-cosine", steps=STEPS, weights="path")
        gathered(asked.studies, trainings).to_parquet(SEARCHES, index=False)
    table = pd.read_parquet(SEARCHES).set_index(["search", "seed", "trainings"])
    for column, words in {"measured": "measured quality", "expected": "expected quality; simulated"}.items():
        print(f"\n## Hypervolume of {words}, dB x decades\n")
        show(table[column].unstack("trainings"))


if __name__ == "__main__":
    main()
