"""What stopping trainings early saves and wrongly costs, by replaying real learning curves as searches.

    python benchmarks/stopping.py
    python benchmarks/stopping.py --orders 1000

Each search tries designs of the table of trainings in random order; a training is stopped by the rule of
`nas.stopping` from the trainings before it, and the rest of its real curve says what was lost. Nothing is
trained. Searches by a sampler try better designs than chance does, so that less is stopped in them.

- stopped, saved: share of the trainings, and of their seconds.
- wrong: trainings stopped that would have joined the front of their time; expected: what the forecasts made
  of it, as `nas search` reports it; hypervolume lost: of the final front, over dB and decades of latency
  from the worst of the designs.
- The last two parts of the table vary the rule: another chance of joining the front to stop below, and
  forecasts by the normal distribution.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import moocore
import numpy as np
import pandas as pd
from trainings.table import load

from nas import stopping
from nas.objectives import parse_objectives

OBJECTIVES = parse_objectives("psnr,latency_ms")
CASES = {  # what is replayed: preset and steps in the table, and the steps at which curves are looked at
    "CPU preset, at half of 80 steps": ("cpu", 80, (40,)),
    "CPU, constant rate, at quarters of 800 steps": ("cpu-constant", 800, (200, 400, 600)),
    "H100, full width, at quarters of 280 steps": ("wan-h100", 280, (70, 140, 210)),
}
BUDGET = 50  # trainings of a search, where there are as many designs
SEED = 0  # of the orders

Record = dict[str, Any]


def records(preset: str, steps: int, points: Sequence[int]) -> list[Record]:
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
        asked = stopping.thresholds(finished, record["costs"], OBJECTIVES)
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


def searches(all_of_case: Sequence[Record], orders: int) -> pd.Series:
    """What many replays come to: means, and the hypervolume lost in the worst of twenty."""
    rng = np.random.default_rng(SEED)
    origin = _values(all_of_case).max(axis=0)
    budget = min(BUDGET, len(all_of_case))
    runs = pd.DataFrame(
        [
            replay([all_of_case[i] for i in rng.permutation(len(all_of_case))[:budget]], origin)
            for _ in range(orders)
        ]
    )
    return pd.concat([runs.mean(), pd.Series({"lost, 1 in 20": runs["lost"].quantile(0.95)})])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=200, help="searches of each kind")
    orders = parser.parse_args().orders
    cases = {name: records(*case) for name, case in CASES.items()}
    rows = {}
    for name, some in cases.items():
        rows[f"{name} ({min(BUDGET, len(some))} of {len(some)} designs)"] = searches(some, orders)
    first = next(iter(cases))
    usual = stopping.CHANCE
    for chance in (0.01, 0.02, 0.1, 0.2):
        stopping.CHANCE = chance
        rows[f"{first}, below {chance:.0%}"] = searches(cases[first], orders)
    stopping.CHANCE, stopping.TAIL = usual, np.inf
    rows[f"{first}, normal distribution"] = searches(cases[first], orders)
    table = pd.DataFrame(rows).T
    print("| | stopped | time saved | wrong | expected | hypervolume lost | 1 search in 20 |")
    print("|---|---|---|---|---|---|---|")
    for name, row in table.iterrows():
        print(
            f"| {name} | {row['stopped']:.0f} % | {row['saved']:.0f} % | {row['wrong']:.2f} |"
            f" {row['expected']:.2f} | {row['lost']:.2f} % | {row['lost, 1 in 20']:.2f} % |"
        )


if __name__ == "__main__":
    main()
