"""The trainings that a surrogate is fitted to: designs under one preset against one teacher's weights."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from trainings.table import load

from search_space import SearchSpace
from search_space.design_arrays import canonical

PRESET, STEPS = "cpu-cosine", 80
SETTINGS = Path(__file__).parents[1] / "trainings" / f"{PRESET}.yaml"
HALFWAY = 40  # steps at which the curve is known too
_LIST = Path(__file__).parents[1] / "trainings" / "designs.csv"
FITTED = 150  # designs of the list that the comparison's surrogate is fitted to; later ones may be its prior


@dataclass(frozen=True)
class Rows:
    """N trainings, each field an array of as many.

    Attributes:
        designs: int64 [N, P], canonical positions in the space.
        hash: of the designs.
        psnr: after the last step, dB.
        halfway: PSNR at `HALFWAY` steps under the schedule of the whole, dB; NaN where unknown.
        seconds: the process's own; NaN where unknown.
        origin: as in the table of trainings.
        rank: of the design in the list of designs, from 0; -1 of others.
    """

    designs: np.ndarray
    hash: np.ndarray
    psnr: np.ndarray
    halfway: np.ndarray
    seconds: np.ndarray
    origin: np.ndarray
    rank: np.ndarray

    def __len__(self) -> int:
        return len(self.psnr)

    def __getitem__(self, some: np.ndarray) -> Rows:
        return Rows(*(getattr(self, field.name)[some] for field in fields(self)))

    @property
    def fitted(self) -> np.ndarray:
        """Which of them [N] the comparison of samplers stands on, however the table grows.

        The first designs of the list, and those that Optuna's samplers searched; none that our own did.
        """
        return (self.rank < FITTED) & (self.origin != "search")

    @property
    def held_out(self) -> np.ndarray:
        """Which of them [N] had no part in that: designs of the list that come later."""
        return self.rank >= FITTED


def teachers() -> list[str]:
    """Digests of the weights that the preset's trainings have as teachers, most trainings first."""
    return load(preset=PRESET, steps=STEPS, weights=None)["weights_digest"].value_counts().index.tolist()


def read(space: SearchSpace, weights: str) -> Rows:
    """The trainings of the preset that came to a result, on the clips that most of them have.

    Args:
        space: that all their designs are in.
        weights: the digest of the teacher's, one of `teachers`.
    """
    table = load(preset=PRESET, steps=STEPS, weights=None)
    table = table[(table["weights_digest"] == weights) & table["psnr"].notna()]
    table = table[table["footage_digest"] == table["footage_digest"].mode()[0]]
    names = [f"param.{parameter.name}" for parameter in space.asked]
    values = table[names].itertuples(index=False)
    designs = [
        [parameter.values.index(value) for parameter, value in zip(space.asked, row, strict=True)]
        for row in values
    ]
    return Rows(
        designs=canonical(space, np.array(designs, dtype=np.int64)),
        hash=table["hash"].to_numpy(str),
        psnr=table["psnr"].to_numpy(),
        halfway=_halfway(table),
        seconds=table["seconds_processor"].to_numpy(float),
        origin=table["origin"].to_numpy(str),
        rank=_listed().get_indexer(table["hash"]),
    )


def _listed() -> pd.Index:
    """The hashes of the list of designs, in its order."""
    return pd.Index(pd.read_csv(_LIST, dtype=str)["hash"])


def _halfway(table: pd.DataFrame) -> np.ndarray:
    """From curves measured on all validation clips, which those of searches aren't."""
    gathered = ~table["origin"].isin(["search", "study"])
    curves = zip(table["curve_step"], table["curve_psnr"], strict=True)
    reached = [dict(zip(steps, psnr, strict=True)).get(HALFWAY, np.nan) for steps, psnr in curves]
    return np.where(gathered, reached, np.nan)
