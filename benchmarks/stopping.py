"""What stopping trainings early saves and wrongly costs, by replaying learning curves as searches.

    python benchmarks/stopping.py
    python benchmarks/stopping.py --orders 1000

Nothing is trained: a training is stopped by the rule of `nas.stopping` from the trainings before it, and the
rest of its curve says what was lost. Replayed are real trainings of the table in random order, the shipped
study in its own, and, **simulated**, the searches of `benchmarks/compare_samplers.py`, which go on as if what
was stopped had been finished.

- stopped, saved: share of the trainings, and of their seconds.
- wrong: trainings stopped that would have joined the front of their time; expected: what the forecasts made
  of it, as `nas search` reports it; hypervolume lost: of the final front, over dB and decades of latency
  from the worst of the designs, in the mean and in the worst of twenty searches.
- The last rows vary the rule: another chance of joining the front to stop below, and forecasts by the normal
  distribution.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import moocore
import numpy as np
import pandas as pd
from trainings.table import load

from analysis import load_study
from nas import stopping
from nas.objectives import parse_objectives

OBJECTIVES = parse_objectives("psnr,latency_ms")
CASES = {  # what is replayed: preset and steps in the table, and the steps at which curves are looked at
    "`cpu-cosine`, at half of 80 steps": ("cpu-cosine", 80, (40,)),
    "CPU preset, at half of 220 steps": ("cpu", 220, (110,)),
    "CPU, constant rate, at quarters of 800 steps": ("cpu-constant", 800, (200, 400, 600)),
    "H100, full width, at quarters of 280 steps": ("wan-h100", 280, (70, 140, 210)),
}
STUDY = Path(__file__).parent / "studies" / "wan-h100"
SIMULATED = ("ours", "TPE", "random")  # searches of the comparison
BUDGET = 50  # trainings of a search, where there are as many designs
SEED = 0  # of the orders

Record = dict[str, Any]


def of_table(preset: str, steps: int, points: Sequence[int]) -> list[Record]:
    """The trainings of a preset, one a design, as a study would keep them."""
    rows = load(preset=preset, steps=steps)
    measured = rows["curve_step"].map(lambda curve: set(points) <= set(curve))
    rows = rows[rows["psnr"].notna() & measured]
    rows = rows.sort_values("seed").drop_duplicates("hash")
    seconds = rows["seconds_processor"].fillna(rows["seconds_train"])
    return [
        {
            "hash": row["hash"],
            "costs": {"latency_ms": row["latency_ms"]},
            "metrics": {"psnr": row["psnr"], "ssim": row["ssim"]},
            "curve": [
                (step, psnr)
                for step, psnr in zip(row["curve_step"], row["curve_psnr"], strict=True)
                if step in (*points, steps)
            ],
            "seconds": seconds[index],
        }
        for index, row in rows.iterrows()
    ]


def of_study(folder: Path) -> list[Record]:
    """The trainings of a study in its own order."""
    study = load_study(folder)
    rows = study[study["outcome"] == "trained"].sort_values("number")
    return [
        {
            "hash": row["hash"],
            "costs": {"latency_ms": row["latency_ms"]},
            "metrics": {"psnr": row["psnr"]},
            "curve": [(step, psnr) for step, psnr in row["curve"]],
            "seconds": row["seconds.train"] + row["seconds.validate"],
        }
        for _, row in rows.iterrows()
    ]


def of_comparison(names: Sequence[str]) -> dict[str, list[list[Record]]]:
    """The first trainings of each search of the comparison, by the search's name."""
    from samplers.problem import problem  # seconds, which the rest does without
    from samplers.trajectories import TRAJECTORIES

    trajectories = pd.read_parquet(TRAJECTORIES)
    surrogate = problem().surrogate
    orders: dict[str, list[list[Record]]] = {name: [] for name in names}
    chosen = trajectories[trajectories["search"].isin(names) & (trajectories["trial"] < BUDGET)]
    for (name, seed), rows in chosen.groupby(["search", "seed"]):
        times = rows.groupby("design").cumcount()
        order = []
        for design, time in zip(rows["design"], times, strict=True):
            training = surrogate.train(np.array([*map(int, design)]), seed + 1000 * time)
            order.append({
                "hash": design,
                "costs": {"latency_ms": training.latency_ms},
                "metrics": {"psnr": training.psnr},
                "curve": training.curve,
                "seconds": training.seconds,
            })  # fmt: skip
        orders[name].append(order)
    return orders


def replay(order: Sequence[Record], origin: Sequence[float]) -> dict[str, float]:
    """One search over designs in this order.

    Args:
        order: of the trainings.
        origin: minus PSNR in dB and log10 of the latency in ms that hypervolume is measured from.
    """
    finished: list[Record] = []
    stopped = wrong = 0
    saved = expected = 0.0
    for record in order:
        again = any(known["hash"] == record["hash"] for known in finished)
        asked = {} if again else stopping.thresholds(finished, record["costs"], OBJECTIVES)
        low = [(step, psnr) for step, psnr in record["curve"] if psnr < asked.get(step, -np.inf)]
        if not low:
            finished.append(record)
            continue
        stopped += 1
        saved += record["seconds"] * (1 - low[0][0] / record["curve"][-1][0])
        expected += stopping.chance(finished, record["costs"], OBJECTIVES, low[0])
        wrong += not any(_beats(known, record) for known in finished)
    return {
        "stopped": 100 * stopped / len(order),
        "saved": 100 * saved / sum(record["seconds"] for record in order),
        "wrong": wrong,
        "expected": expected,
        "lost": 100 * (1 - _hypervolume(finished, origin) / _hypervolume(order, origin)),
    }


def _beats(known: Record, record: Record) -> bool:
    cheaper = known["costs"]["latency_ms"] <= record["costs"]["latency_ms"]
    return bool(cheaper and known["metrics"]["psnr"] >= record["metrics"]["psnr"])


def _values(some: Sequence[Record]) -> np.ndarray:
    return np.array([(-known["metrics"]["psnr"], np.log10(known["costs"]["latency_ms"])) for known in some])


def _hypervolume(some: Sequence[Record], origin: Sequence[float]) -> float:
    return float(moocore.hypervolume(_values(some), ref=origin))


def searches(orders: Iterable[Sequence[Record]], origin: Sequence[float]) -> pd.Series:
    """What replays come to: means, and the hypervolume lost in the worst of twenty."""
    runs = pd.DataFrame([replay(order, origin) for order in orders])
    return pd.concat([runs.mean(), pd.Series({"lost, 1 in 20": runs["lost"].quantile(0.95)})])


def shuffled(some: Sequence[Record], count: int) -> Iterator[list[Record]]:
    """So many searches that try designs at random."""
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        yield [some[i] for i in rng.permutation(len(some))[:BUDGET]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=200, help="random orders of each part of the table")
    count = parser.parse_args().orders
    rows = {}
    tables = {name: of_table(*case) for name, case in CASES.items()}
    for name, some in tables.items():
        title = f"{name}, in random order ({min(BUDGET, len(some))} of {len(some)})"
        rows[title] = searches(shuffled(some, count), _values(some).max(axis=0))
    study = of_study(STUDY)
    rows["H100, the shipped study of 20, in its own order"] = searches([study], _values(study).max(axis=0))
    for name, orders in of_comparison(SIMULATED).items():
        origin = np.max([_values(order).max(axis=0) for order in orders], axis=0)
        rows[f"simulated: 50 trainings, {name}, at half of 80 steps"] = searches(orders, origin)
    first, some = next(iter(tables.items()))
    origin = _values(some).max(axis=0)
    usual = stopping.CHANCE
    for chance in (0.01, 0.02, 0.1, 0.2):
        stopping.CHANCE = chance
        rows[f"{first}, below {chance:.0%}"] = searches(shuffled(some, count), origin)
    stopping.CHANCE, stopping.TAIL = usual, np.inf
    rows[f"{first}, normal distribution"] = searches(shuffled(some, count), origin)
    print("| | stopped | time saved | wrong | expected | hypervolume lost | 1 search in 20 |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(
            f"| {name} | {row['stopped']:.0f} % | {row['saved']:.0f} % | {row['wrong']:.2f} |"
            f" {row['expected']:.2f} | {row['lost']:.2f} % | {row['lost, 1 in 20']:.2f} % |"
        )


if __name__ == "__main__":
    main()
