"""How good the front is that each sampler finds, against trainings and against their time: simulated.

    python benchmarks/compare_samplers.py                         # tables and picture, from what is shipped
    python benchmarks/compare_samplers.py --rerun --processes 2   # searches again, some 80 core minutes

Prints the tables of `docs/search.md` and draws `docs/images/samplers.png` from
`benchmarks/samplers/trajectories.parquet`. Trainings are simulated by a model of real ones
(`benchmarks/surrogate/`); costs are exact. Searches are repeated with 20 seeds; `--rerun` goes on where it
was interrupted. Its time was added up on a busy machine, from a few seeds of each search.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from samplers.pictures import draw
from samplers.report import report
from samplers.searches import ABLATIONS, CONTESTANTS
from samplers.trajectories import SEEDS, TRAJECTORIES, rerun

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "samplers.png"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rerun", action="store_true", help="search again")
    parser.add_argument("--searches", nargs="*", default=[*CONTESTANTS, *ABLATIONS], help="these only")
    parser.add_argument("--processes", type=int, default=1, help="searches at a time, of one thread each")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/samplers"), help="one file a search, to go on with"
    )
    parser.add_argument("--picture", type=Path, default=PICTURE)
    asked = parser.parse_args()
    if asked.rerun:
        rerun(asked.searches, SEEDS, asked.processes, asked.runs).to_parquet(
            TRAJECTORIES, index=False, compression="zstd"
        )
    trajectories = pd.read_parquet(TRAJECTORIES)
    report(trajectories)
    draw(trajectories, asked.picture)


if __name__ == "__main__":
    main()
