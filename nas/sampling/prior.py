"""Trainings known before a search begins: of the table that comes with this package, or of another study.

They may be of another teacher, of another length and of designs of another space: a search takes from them
which designs are better than which, and learns itself how far that holds for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from nas.objectives import QUALITY
from nas.record import TRAINED, record_of
from nas.request import SHIPPED_PRIOR
from nas.run_directory import RunDirectory
from nas.storage import open_storage
from search_space import DecoderConfig
from search_space.errors import UserError, without_password

TABLE = Path(__file__).with_name("trainings.parquet")

_SQLITE = b"SQLite format 3"  # what a database's file begins with
_PRESET = "cpu-cosine"  # a former CPU preset, whose trainings of the table are many


@dataclass(frozen=True)
class Prior:
    """Trainings of n designs, which may come several times.

    Attributes:
        configs: the designs.
        quality: what they reached, arrays [n] by the names of `QUALITY`; NaN where that isn't known.
    """

    configs: Sequence[DecoderConfig]
    quality: Mapping[str, np.ndarray]

    @classmethod
    def shipped(cls, weights_digest: str) -> Prior:
        """The trainings of the table that comes with this package.

        Args:
            weights_digest: of a teacher's weights. Only its own trainings are taken where there are any,
                otherwise those of the teacher that has most; and only those on the same clips, since levels
                of quality don't compare between clips.
        """
        table = pd.read_parquet(TABLE, filters=[("preset", "==", _PRESET)]).dropna(subset="psnr")
        digests = table["weights_digest"]
        chosen = weights_digest if (digests == weights_digest).any() else digests.value_counts().index[0]
        rows = table[digests == chosen]
        rows = rows[rows["footage_digest"] == rows["footage_digest"].mode()[0]]
        configs = [DecoderConfig.from_dict(json.loads(config)) for config in rows["config"]]
        return cls(configs, {name: rows[name].to_numpy(float) for name in QUALITY})

    @classmethod
    def of_records(cls, records: Iterable[Mapping[str, Any]]) -> Prior:
        """The finished trainings among the records of a study's trials."""
        trained = [record for record in records if record.get("outcome") == TRAINED]
        return cls(
            [DecoderConfig.from_dict(record["config"]) for record in trained],
            {name: np.array([record["metrics"].get(name, np.nan) for record in trained]) for name in QUALITY},
        )


def prior_of_study(source: str, say: Callable[[str], None]) -> Prior:
    """Reads what was trained in another study.

    Args:
        source: a run's folder, a database URL, or the path of a journal or SQLite file.
        say: hears when the storage is away, and when it is back.

    Raises:
        UserError: there is no such study, it can't be read, or nothing was trained in it.
        SearchError: its storage went away, and stayed away.
    """
    shown = f"prior '{without_password(source)}'"
    where = RunDirectory(Path(source), "").storage if source and Path(source).is_dir() else source
    file = Path(where.removeprefix("sqlite:///"))
    if ("://" not in where or where.startswith("sqlite:///")) and not file.is_file():
        raise UserError(
            f"{shown}: there is no {file}; give '{SHIPPED_PRIOR}', a run's folder or a storage's URL"
        )
    if file.is_file() and not file.stat().st_size:  # which Optuna would make a storage of
        raise UserError(f"{shown}: nothing was trained in it")
    if "://" not in where and _begins_with(file, _SQLITE):
        where = f"sqlite:///{where}"
    try:
        storage = open_storage(where, say)
    except UserError as error:
        raise UserError(f"{shown}: {error}") from error
    trials = [
        trial
        for study in optuna.get_all_study_summaries(storage, include_best_trial=False)
        for trial in storage.get_all_trials(study._study_id, deepcopy=False)
    ]
    prior = Prior.of_records(map(record_of, trials))
    if not prior.configs:
        raise UserError(f"{shown}: nothing was trained in it")
    return prior


def _begins_with(file: Path, expected: bytes) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(expected)) == expected
