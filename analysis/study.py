"""A study as a table: one row a trial."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy

from search_space.errors import UserError, without_password

from .confirmed import confirmations, confirmed_columns
from .database import Stored, read_database, read_sqlite
from .journal import is_journal, read_journal
from .quantities import QUANTITIES

# What a trial is before it has left a record of its own.
_OUTCOME_OF_STATE = {"WAITING": "waiting", "RUNNING": "running", "FAIL": "failed", "PRUNED": "refused"}
# Why trials failed that were only cut off, and whose designs are tried again; as a search gives the reasons.
_INTERRUPTED = ("interrupted", "its process ended during the training; tried again")
_IDENTITY = ["number", "state", "outcome", "reason", "name", "hash", "repeats", "seed", "attempt"]
_PROVENANCE = ["teacher", "weights", "weights_description", "run", "main", "worker"]
_TIMES = ["started", "finished", "progress.step", "progress.steps"]
_COSTS = ["params", "flops", "latency_ms", "fps", "peak_memory_bytes", "fits", "source"]
_CONFIRMED = ["confirmed", "confirmed.psnr", "confirmed.ssim", "confirmed.psnr_spread"]
_CONFIRMED_COUNTS = ["confirmed.runs", "confirmed.steps", "confirmed.best_seed"]
_STOPPED = ["stopped.psnr", "stopped.chance", "stopped.seconds_left"]
_WHOLE = ["repeats", "seed", "attempt", "progress.step", "progress.steps", "stopped.step", *_CONFIRMED_COUNTS]
_NESTED = ["config", "curve"]


def load_study(study: str | Path, name: str | None = None) -> pd.DataFrame:
    """Reads a study, finished or running, without disturbing it.

    A SQLite file is opened read-only, unless a process died while it wrote to it, and never made where there
    is none. 10,000 trials take about 2 s; from a journal, which Optuna's own loader replays, about 4 s
    (benchmarks/load_study.py).

    Args:
        study: a run directory (with ``study.db`` in it), a SQLite file, a journal file of Optuna's, or a
            storage URL ("postgresql://…", "sqlite:///…").
        name: the study's name; needed only where the storage holds several.

    Returns:
        One row a trial, by number.

        - ``number``, ``state`` (Optuna's), ``outcome`` (trained, stopped, refused, repeated, failed,
          interrupted, which is tried again, running or waiting), ``reason`` (of a refusal or failure),
          ``name`` (of a published design), ``hash`` (of the configuration), ``repeats`` (trainings of that
          design), ``seed`` (of this training), ``attempt`` (2 where a process died at the first);
        - ``teacher``, ``weights`` (their kind, such as "hub" or "stand-in"), ``weights_description``, ``run``
          (folder of the run that holds the trial's files), ``main`` and ``worker`` (who was at it);
        - ``started`` and ``finished`` (as Optuna writes them); while it runs, ``progress.step`` of
          ``progress.steps``;
        - ``param.NAME``: each choice of the space;
        - costs of the full design: ``params``, ``flops`` (2 per multiply-add), ``latency_ms``, ``fps``,
          ``peak_memory_bytes``, ``fits``, and ``source``, which made them: "trace", or "coreml" for the
          designs that were priced again after the search;
        - ``proxy.params``, ``proxy.flops``: of what was trained;
        - each metric by its name (``psnr`` in dB, ``ssim``, …); ``.attrs["metrics"]`` lists them;
        - ``seconds.PART``: how long each part of the trial took;
        - of a training that was stopped early ``stopped.step`` and ``stopped.psnr`` (how far it came),
          ``stopped.chance`` (that its design would have ended on the front) and ``stopped.seconds_left``
          (what that saved), both estimates;
        - ``confirmed``: whether the design was trained again, longer and with several seeds, at the end;
          ``confirmed.psnr``, ``confirmed.ssim``: means of those ``confirmed.runs`` trainings of
          ``confirmed.steps`` steps; ``confirmed.psnr_spread``, …: their standard deviation;
          ``confirmed.best_seed``: of the one of highest PSNR;
        - ``config``: the design in the published format;
        - ``curve``: [[step, PSNR in dB], …] while training, of a running trial as far as it came.

        What a trial lacks is NaN where others have a number, and None where they have a word.
        ``.attrs["study"]`` holds the study's own record, ``.attrs["name"]`` its name and ``.attrs["mains"]``
        the last beat of each process that searched.

    Raises:
        UserError: nothing is there, it is no study of this project, or it holds several and ``name`` is None.
    """
    stored = _stored(study, name)
    if "study" not in stored.attributes:
        where = without_password(str(study))
        raise UserError(f"{where}: '{stored.name}' is an Optuna study, but not one that `nas search` made")
    frame = _frame(stored)
    frame.attrs |= {
        "study": stored.attributes["study"],
        "name": stored.name,
        "mains": [{"id": main} | beat for main, beat in _by_key(stored.attributes, "main").items()],
    }
    return frame


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """A table of trials or designs without ``config`` and ``curve``, so that a CSV file can hold it."""
    return table.drop(columns=_NESTED)


def _stored(study: str | Path, name: str | None) -> Stored:
    """Reads a study from wherever it is."""
    if "://" not in str(study):
        path = Path(study)
        path = _existing(path / "study.db" if path.is_dir() else path, str(study))
        return read_journal(path, name) if is_journal(path) else read_sqlite(path, name)
    try:
        url = sqlalchemy.make_url(str(study))
    except (sqlalchemy.exc.ArgumentError, ValueError):  # the latter where the port is no number
        raise UserError(
            "the storage URL can't be read; one looks like postgresql://user@host/database"
        ) from None
    if url.get_backend_name() == "sqlite":
        return read_sqlite(_existing(Path(url.database or ""), without_password(str(study))), name)
    return read_database(url, name)


def _existing(path: Path, shown: str) -> Path:
    if not path.is_file():
        missing = "has no study.db in it" if Path(shown).is_dir() else "doesn't exist"
        raise UserError(f"{shown} {missing}; a study is a run directory such as runs/NAME, or a storage URL")
    return path


def _by_key(attributes: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The study's attributes ``KIND:KEY``, by KEY."""
    return {
        key.removeprefix(f"{kind}:"): value for key, value in attributes.items() if key.startswith(f"{kind}:")
    }


def _frame(stored: Stored) -> pd.DataFrame:
    study = stored.attributes["study"]
    records = [attributes.get("record", {}) for attributes in stored.trial_attributes]
    # The first version kept all costs that were priced again in one attribute.
    repriced = stored.attributes.get("repriced", {}) | _by_key(stored.attributes, "repriced")
    # Both belong to a design, so that each of its trainings shows them.
    costs_again = _by_design(repriced, stored.trials["number"], records)
    confirmed = _by_design(confirmations(stored.attributes), stored.trials["number"], records)
    rows: list[dict[str, Any]] = []
    metrics: dict[str, Any] = {}
    for number, state, attributes in zip(
        stored.trials["number"], stored.trials["state"], stored.trial_attributes, strict=True
    ):
        record = attributes.get("record", {})
        progress = attributes.get("progress", {}) if state == "RUNNING" else {}
        design = record.get("hash", number)
        again = costs_again.get(design)
        metrics |= dict.fromkeys(_scalars(record.get("metrics")))
        rows.append(
            {key: record.get(key) for key in ("reason", "name", "hash", "config", "seed", "attempt")}
            | {key: record.get(key) for key in ("run", "main", "worker")}
            | {"outcome": _outcome(record, state), "curve": record.get("curve") or progress.get("curve")}
            | {f"progress.{key}": value for key, value in _scalars(progress).items()}
            | _scalars(record.get("costs"))
            | (_scalars(again) | {"source": "coreml"} if again else {})
            | {f"proxy.{key}": value for key, value in _scalars(record.get("proxy")).items()}
            | _scalars(record.get("metrics"))
            | {f"seconds.{key}": value for key, value in _scalars(record.get("seconds")).items()}
            | {f"stopped.{key}": value for key, value in _scalars(record.get("stopped")).items()}
            | confirmed_columns(confirmed.get(design, []))
        )
    recorded = pd.DataFrame(rows, index=stored.trials.index)
    frame = pd.concat([stored.trials, recorded, stored.parameters], axis=1)
    frame = _completed(frame, study, list(stored.parameters.columns))
    frame.attrs["metrics"] = list(metrics) or ["psnr", "ssim"]
    return frame


def _by_design(
    by_number: Mapping[str, Any], numbers: pd.Series, records: list[dict[str, Any]]
) -> dict[str | int, Any]:
    """What the study says of trials, by the hash of their design."""
    return {
        record.get("hash", number): by_number[str(number)]
        for number, record in zip(numbers, records, strict=True)
        if str(number) in by_number
    }


def _outcome(record: Mapping[str, Any], state: str) -> str | None:
    """What became of a trial; a design that is claimed and about to be trained is running already."""
    outcome = record.get("outcome") or _OUTCOME_OF_STATE.get(state)
    if outcome == "failed" and record.get("reason") in _INTERRUPTED:
        return "interrupted"
    return "running" if outcome == "claimed" else outcome


def _completed(frame: pd.DataFrame, study: Mapping[str, Any], parameters: list[str]) -> pd.DataFrame:
    """The columns in their order, each there and of its type even where nothing is known of it yet."""
    weights = study["weights"]
    objectives = [objective["name"] for objective in study["objectives"]]
    leading = [*_IDENTITY, *_PROVENANCE, *_TIMES, *parameters, *_COSTS, *objectives, "psnr", "ssim"]
    trailing = ["stopped.step", *_STOPPED, *_CONFIRMED, *_CONFIRMED_COUNTS, *_NESTED]
    rest = [name for name in frame.columns if name not in leading + trailing]
    frame = frame.reindex(columns=list(dict.fromkeys([*leading, *rest, *trailing])))
    is_trained = frame["outcome"] == "trained"
    frame = frame.assign(
        teacher=study["teacher"],
        weights=weights["kind"],
        weights_description=weights["description"],
        repeats=is_trained.groupby(frame["hash"]).transform("sum").fillna(0),
        # The first version trained every design with the study's seed, in the study's own run.
        seed=frame["seed"].where(frame["seed"].notna() | ~is_trained, study.get("seed")),
        run=frame["run"].where(frame["run"].notna() | ~is_trained, study.get("run")),
    )
    # A study without a finished trial has these too, as numbers, so that every function can be asked of it.
    shown = [name for name in frame.columns if name.removeprefix("confirmed.") in [*QUANTITIES, *objectives]]
    types = dict.fromkeys([*shown, *_STOPPED, "confirmed.psnr_spread"], "float64") | dict.fromkeys(
        _WHOLE, "Int64"
    )
    frame = frame.astype(types | {"fits": "boolean", "confirmed": bool, "source": object})
    words = frame.select_dtypes(exclude=["number", "bool", "boolean", "datetime"])
    # As objects, since pandas' own strings turn None into NaN, which is true where a missing name should be
    # false.
    return frame.assign(**words.astype(object).where(words.notna(), None))


def _scalars(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if not isinstance(value, dict | list)}
