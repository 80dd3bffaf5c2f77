"""The designs that the table of trainings is about, in the order in which they are trained.

    python benchmarks/trainings/designs.py --to benchmarks/trainings/designs.csv

Named designs come first. Then, of every three, two come from strata and one from near a front, so that any
beginning of the list is a small version of the whole:

- strata: `SearchSpace.sample`, drawn until every octave of latency has its share, octaves taking turns.
  Designs slower than the published one are left out: nobody would deploy them, and one takes the time of
  several.
- near: two random steps (`SearchSpace.neighbours`) away from a parent. Parents are the named designs and the
  front of the twenty trainings in `benchmarks/studies/wan-h100`, taking turns.

The list was drawn once and is kept, because the latency that decides its strata changes with the cost model;
a training is known by its design's hash, whatever becomes of the list.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from math import floor, log2
from pathlib import Path
from typing import NamedTuple

import numpy as np

from search_space import DecoderConfig, SearchSpace

TEACHER = "wan"
NAMED = ("turbo-vaed-hunyuan", "taehv", "flash-vaed-wan")
STUDY = Path(__file__).parents[1] / "studies" / "wan-h100"
LIST = Path(__file__).parent / "designs.csv"
SEED = 2611
SLOWEST = (
    1600.0  # ms for 17 frames of 512x512: the published design's, by the model that the list was drawn with
)
FASTEST_OCTAVE = 5  # 32 to 64 ms; what is faster counts among these
STEPS_AWAY = 2

Latency = Callable[[DecoderConfig], float]  # ms


class Chosen(NamedTuple):
    """A design to train; `origin` is "named", "stratum", "near" or, of a study, "search"."""

    name: str
    origin: str
    config: DecoderConfig


def read(path: Path = LIST) -> list[Chosen]:
    """The designs of a list, in its order."""
    space = SearchSpace.preset(TEACHER)
    asked = {parameter.name: parameter for parameter in space.asked}
    chosen = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, origin, digest = (row.pop(key) for key in ("name", "origin", "hash"))
            values = {key: type(asked[key].values[0])(value) for key, value in row.items()}
            config = space.config(values)
            if config.hash != digest:
                raise ValueError(
                    f"{path}: {name} is {config.hash} in this version of the space, not {digest}"
                )
            chosen.append(Chosen(name, origin, config))
    return chosen


def draw(count: int) -> list[Chosen]:
    """The first `count` designs, all different."""
    from nas.costs import estimate  # not wanted where designs are only trained
    from search_space.catalogue import design

    space = SearchSpace.preset(TEACHER)
    rng = np.random.default_rng(SEED)

    def latency(config: DecoderConfig) -> float:
        return estimate(config, "iphone-16-pro", source="trace").latency_ms

    named = [design(name) for name in NAMED]
    from_strata = _from_strata(space, rng, latency)
    nearby = _nearby(space, rng, [*named, *(chosen.config for chosen in front(STUDY))], latency)
    chosen = [Chosen(name, "named", config) for name, config in zip(NAMED, named, strict=True)]
    known = {config.hash for config in named}
    for turn in islice(cycle(("stratum", "near", "stratum")), count - len(chosen)):
        config = next(new for new in (nearby if turn == "near" else from_strata) if new.hash not in known)
        known.add(config.hash)
        chosen.append(Chosen(f"{turn}-{len(chosen):03d}", turn, config))
    return chosen


def _from_strata(space: SearchSpace, rng: np.random.Generator, latency: Latency) -> Iterator[DecoderConfig]:
    """Random designs, one an octave of latency in turn, octaves in a new order each round."""
    octaves = range(FASTEST_OCTAVE, floor(log2(SLOWEST)) + 1)
    waiting: dict[int, list[DecoderConfig]] = {octave: [] for octave in octaves}
    while True:
        for octave in rng.permutation(list(octaves)).tolist():
            while not waiting[octave]:
                config = space.sample(rng)
                ms = latency(config)
                if ms <= SLOWEST:
                    waiting[max(FASTEST_OCTAVE, floor(log2(ms)))].append(config)
            yield waiting[octave].pop(0)


def _nearby(
    space: SearchSpace, rng: np.random.Generator, parents: list[DecoderConfig], latency: Latency
) -> Iterator[DecoderConfig]:
    """Designs a few random steps from each parent in turn, no slower than `SLOWEST`."""
    for parent in cycle(parents):
        config = parent
        for _ in range(STEPS_AWAY):
            around = space.neighbours(config)
            config = around[int(rng.integers(len(around)))]
        if latency(config) <= SLOWEST:
            yield config


def front(study: Path) -> list[Chosen]:
    """The front of quality against latency among a study's trainings, fastest first, of origin "search"."""
    from analysis import load_study

    trials = load_study(study)
    trained = trials[trials["outcome"] == "trained"].sort_values("latency_ms")
    best = trained[trained["psnr"] > trained["psnr"].cummax().shift(fill_value=-np.inf)]
    space = SearchSpace.preset(TEACHER)
    names = [parameter.name for parameter in space.asked]
    rows = best[[f"param.{name}" for name in names]].to_numpy().tolist()
    configs = [space.config(dict(zip(names, row, strict=True))) for row in rows]
    return [
        Chosen(f"{study.name}-{number}", "search", config)
        for number, config in zip(best["number"], configs, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, default=LIST)
    parser.add_argument("--count", type=int, default=400)
    asked = parser.parse_args()
    space = SearchSpace.preset(TEACHER)
    with asked.to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "origin", "hash", *(parameter.name for parameter in space.asked)])
        for chosen in draw(asked.count):
            values = space.parameters(chosen.config).values()
            writer.writerow([chosen.name, chosen.origin, chosen.config.hash, *values])


if __name__ == "__main__":
    main()
