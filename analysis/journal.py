"""A study from a journal file: Optuna's log of operations, which machines append to on a shared disk."""

from pathlib import Path
from typing import Any

import pandas as pd
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from search_space.errors import UserError

from .database import Stored, chosen


def is_journal(path: Path) -> bool:
    """Whether a file is a journal by its first byte: each of its lines is a JSON object."""
    with path.open("rb") as file:
        return file.read(1) in (b"{", b"")  # empty until the first study is made


def read_journal(path: Path, name: str | None) -> Stored:
    """Reads a study by Optuna's own loader, which replays the operations and writes nothing.

    Raises:
        UserError: the file can't be read as a journal, or holds several studies and ``name`` is None.
    """
    try:
        storage = JournalStorage(JournalFileBackend(str(path)))
        studies = {study.study_name: study for study in storage.get_all_studies()}
        study = studies[chosen(list(studies), name, str(path))]
        frozen = storage.get_all_trials(study._study_id, deepcopy=False)
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    # As Optuna's loader stumbles over lines that it didn't write.
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
        raise UserError(f"{path} can't be read as a study: it is no journal of Optuna's") from None
    trials = pd.DataFrame(
        [(trial.number, trial.state.name, trial.datetime_start, trial.datetime_complete) for trial in frozen],
        columns=["number", "state", "started", "finished"],
    ).astype({"started": "datetime64[us]", "finished": "datetime64[us]"})
    parameters = pd.DataFrame([trial.params for trial in frozen], index=trials.index)
    parameters = parameters.reindex(columns=sorted(parameters.columns)).add_prefix("param.")
    return Stored(study.study_name, study.user_attrs, trials, list(map(_attributes, frozen)), parameters)


def _attributes(trial: FrozenTrial) -> dict[str, Any]:
    wanted = ("record", "progress") if trial.state.name == "RUNNING" else ("record",)
    return {key: trial.user_attrs[key] for key in wanted if key in trial.user_attrs}
