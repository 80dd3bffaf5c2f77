"""The designs that profiles are judged on: 30 from the space for Wan, none of them used in a fit.

    python benchmarks/unseen_designs.py     # writes benchmarks/measurements/designs/

24 are drawn as the search draws them. Three more are two-dimensional throughout ("spatial") and three look at
two frames throughout ("two_frame"), since no published decoder that is used to calibrate has either.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from search_space import DecoderConfig, SearchSpace

FOLDER = Path(__file__).parent / "measurements" / "designs"
SEED = 2
DRAWN, UNIFORM = 24, 3


def unseen_designs() -> dict[str, DecoderConfig]:
    """The 30 designs by the name of their file, always the same."""
    space, rng = SearchSpace.preset("wan"), np.random.default_rng(SEED)
    found = {f"wan-{number:02}": space.sample(rng) for number in range(DRAWN)}
    for conv in ("spatial", "two_frame"):
        for number in range(UNIFORM):
            drawn = space.sample(rng)
            stages = tuple(replace(stage, conv=conv) for stage in drawn.stages)
            found[f"wan-{conv}-{number}"] = replace(drawn, stages=stages)
    return found


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, config in unseen_designs().items():
        config.save(FOLDER / f"{name}.json")
        print(f"{name:16} {config.hash} {', '.join(f'{s.width} {s.blocks} {s.conv}' for s in config.stages)}")


if __name__ == "__main__":
    main()
