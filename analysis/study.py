"""A study as a table: one row a trial."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy
from optuna.distributions import json_to_distribution
from sqlalchemy import column, func, select, table

from search_space.errors import UserError, first_line

from .quantities import QUANTITIES

# Optuna's own tables, read here directly: its loader makes an object of every trial, parameter and attribute,
# which takes 8 to 15 s for 10,000 trials on SQLite (benchmarks/load_study.py).
_STUDIES = table("studies", column("study_id"), column("study_name"))
_STUDY_ATTRIBUTES = table("study_user_attributes", column("study_id"), column("key"), column("value_json"))
_TRIALS = table(
    "trials",
    column("trial_id"),
    column("number"),
    column("study_id"),
    column("state"),
    column("datetime_start"),
    column("datetime_complete"),
)
_ATTRIBUTES = table("trial_user_attributes", column("trial_id"), column("key"), column("value_json"))
_PARAMETERS = table(
    "trial_params",
    column("trial_id"),
    column("param_name"),
    column("param_value"),
    column("distribution_json"),
)

# What a trial is before it has left a record of its own.
_OUTCOME_OF_STATE = {"WAITING": "waiting", "RUNNING": "running", "FAIL": "failed", "PRUNED": "refused"}
_IDENTITY = ["number", "state", "outcome", "reason", "name", "hash"]
_PROVENANCE = ["teacher", "weights", "weights_description"]
_TIMES = ["started", "finished"]
_COSTS = ["params", "flops", "latency_ms", "fps", "peak_memory_bytes", "fits", "source"]


def load_study(study: str | Path, name: str | None = None) -> pd.DataFrame:
    """Reads a study, finished or running, without disturbing it.

    A SQLite file is opened read-only, and never made where there is none. 10,000 trials take about 2 s.

    Args:
        study: a run directory (with ``study.db`` in it), a SQLite file, or a storage URL
            ("postgresql://…", "sqlite:///…").
        name: the study's name; needed only where the storage holds several.

    Returns:
        One row a trial, by number:

        - ``number``, ``state`` (Optuna's), ``outcome`` (trained, refused, repeated, failed, running or
          waiting), ``reason`` (of a refusal or failure), ``name`` (of a published design), ``hash`` (of the
          configuration);
        - ``teacher``, ``weights`` (their kind, such as "hub" or "stand-in"), ``weights_description``;
        - ``started`` and ``finished`` (as Optuna writes them);
        - ``param.NAME``: each choice of the space;
        - costs of the full design: ``params``, ``flops`` (2 per multiply-add), ``latency_ms``, ``fps``,
          ``peak_memory_bytes``, ``fits``, and ``source``, which made them: "trace", or "coreml" for the
          designs that were priced again after the search;
        - ``proxy.params``, ``proxy.flops``: of what was trained;
        - each metric by its name (``psnr`` in dB, ``ssim``, …);
        - ``seconds.PART``: how long each part of the trial took;
        - ``curve``: [[step, PSNR in dB], …] while training.

        What a trial lacks is NaN where others have a number, and None where they have a word.
        ``.attrs["study"]`` holds the study's own record and ``.attrs["name"]`` its name.

    Raises:
        UserError: nothing is there, it is no study of this project, or it holds several and ``name`` is None.
    """
    where, engine = _open(study)
    try:
        with engine.connect() as connection:
            study_name, attributes = _study_attributes(connection, where, name)
            trials, records, parameters = _trials(connection, study_name)
    except sqlalchemy.exc.SQLAlchemyError as error:
        cause = first_line(getattr(error, "orig", None) or error)
        raise UserError(f"{where} can't be read as a study: {cause}") from None
    finally:
        engine.dispose()
    if "study" not in attributes:
        raise UserError(f"{where}: '{study_name}' is an Optuna study, but not one that `nas search` made")
    record = attributes["study"]
    frame = _frame(trials, records, parameters, record, attributes.get("repriced", {}))
    frame.attrs = {"study": record, "name": study_name}
    return frame


def _open(study: str | Path) -> tuple[str, sqlalchemy.Engine]:
    """An engine for the study's storage, and what to call it in a message (never with a password)."""
    if "://" not in str(study):
        path = Path(study)
        return str(study), _sqlite(path / "study.db" if path.is_dir() else path, shown=str(study))
    try:
        url = sqlalchemy.make_url(str(study))
        shown = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            return shown, _sqlite(Path(url.database or ""), shown)
        return shown, sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    except sqlalchemy.exc.ArgumentError:
        raise UserError(
            "the storage URL can't be read; one looks like postgresql://user@host/database"
        ) from None
    except ModuleNotFoundError as error:
        raise UserError(f"{shown}: this storage needs the Python package '{error.name}'") from None


def _sqlite(path: Path, shown: str) -> sqlalchemy.Engine:
    if not path.is_file():
        missing = "has no study.db in it" if Path(shown).is_dir() else "doesn't exist"
        raise UserError(f"{shown} {missing}; a study is a run directory such as runs/NAME, or a storage URL")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return sqlalchemy.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=sqlalchemy.NullPool
    )


def _study_attributes(
    connection: sqlalchemy.Connection, where: str, name: str | None
) -> tuple[str, dict[str, Any]]:
    names = list(connection.scalars(select(_STUDIES.c.study_name).order_by(_STUDIES.c.study_id)))
    if not names:
        raise UserError(f"{where} holds no study")
    if name is None and len(names) > 1:
        raise UserError(f"{where} holds several studies, so say which: {', '.join(names)}")
    if name is not None and name not in names:
        raise UserError(f"{where} holds no study '{name}'; there are: {', '.join(names)}")
    name = name or names[0]
    rows = connection.execute(
        select(_STUDY_ATTRIBUTES.c.key, _STUDY_ATTRIBUTES.c.value_json)
        .join(_STUDIES, _STUDIES.c.study_id == _STUDY_ATTRIBUTES.c.study_id)
        .where(_STUDIES.c.study_name == name)
    )
    return name, {key: json.loads(value) for key, value in rows}


def _trials(
    connection: sqlalchemy.Connection, study_name: str
) -> tuple[pd.DataFrame, list[dict[str, Any]], pd.DataFrame]:
    """The trials by number, the record of each (empty where there is none), and their parameters."""
    study_id = select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == study_name).scalar_subquery()
    trials = pd.read_sql(
        select(
            _TRIALS.c.trial_id,
            _TRIALS.c.number,
            _TRIALS.c.state,
            _TRIALS.c.datetime_start.label("started"),
            _TRIALS.c.datetime_complete.label("finished"),
            _ATTRIBUTES.c.value_json.label("record"),
        )
        .outerjoin(
            _ATTRIBUTES, (_ATTRIBUTES.c.trial_id == _TRIALS.c.trial_id) & (_ATTRIBUTES.c.key == "record")
        )
        .where(_TRIALS.c.study_id == study_id)
        .order_by(_TRIALS.c.number),
        connection,
        parse_dates=["started", "finished"],
    )
    of_study = select(_PARAMETERS).join(_TRIALS, _TRIALS.c.trial_id == _PARAMETERS.c.trial_id)
    values = pd.read_sql(
        of_study.with_only_columns(
            _PARAMETERS.c.trial_id, _PARAMETERS.c.param_name, _PARAMETERS.c.param_value
        ).where(_TRIALS.c.study_id == study_id),
        connection,
    )
    # Optuna holds a parameter's choices fixed within a study, so one distribution a parameter decodes them
    # all.
    distributions = connection.execute(
        of_study.with_only_columns(_PARAMETERS.c.param_name, func.max(_PARAMETERS.c.distribution_json))
        .where(_TRIALS.c.study_id == study_id)
        .group_by(_PARAMETERS.c.param_name)
    )
    decode = {parameter: json_to_distribution(text).to_external_repr for parameter, text in distributions}
    wide = values.pivot(index="trial_id", columns="param_name", values="param_value")
    parameters = pd.DataFrame(
        {
            f"param.{parameter}": wide[parameter].map(
                {v: decode[parameter](v) for v in wide[parameter].dropna().unique()}
            )
            for parameter in wide.columns
        },
        index=wide.index,
    ).reindex(trials["trial_id"])
    records = [json.loads(text) if isinstance(text, str) else {} for text in trials["record"]]
    return trials.drop(columns=["trial_id", "record"]), records, parameters.reset_index(drop=True)


def _frame(
    trials: pd.DataFrame,
    records: list[dict[str, Any]],
    parameters: pd.DataFrame,
    study: Mapping[str, Any],
    repriced: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    rows = []
    for number, state, record in zip(trials["number"], trials["state"], records, strict=True):
        again = repriced.get(str(number))
        rows.append(
            {"outcome": record.get("outcome") or _OUTCOME_OF_STATE.get(state)}
            | {key: record.get(key) for key in ("reason", "name", "hash", "curve")}
            | _scalars(record.get("costs"))
            | (_scalars(again) | {"source": "coreml"} if again else {})
            | {f"proxy.{key}": value for key, value in _scalars(record.get("proxy")).items()}
            | _scalars(record.get("metrics"))
            | {f"seconds.{key}": value for key, value in _scalars(record.get("seconds")).items()}
        )
    recorded = pd.DataFrame(rows, index=trials.index)
    weights = study["weights"]
    frame = pd.concat([trials, recorded, parameters], axis=1).assign(
        teacher=study["teacher"], weights=weights["kind"], weights_description=weights["description"]
    )
    objectives = [objective["name"] for objective in study["objectives"]]
    leading = [*_IDENTITY, *_PROVENANCE, *_TIMES, *parameters.columns, *_COSTS, *objectives]
    rest = [name for name in recorded.columns if name not in leading and name != "curve"]
    frame = frame.reindex(columns=list(dict.fromkeys([*leading, *rest, "curve"])))
    # A study without a finished trial has these too, as numbers, so that every function can be asked of it.
    numeric = [name for name in frame.columns if name in QUANTITIES or name in objectives]
    frame = frame.astype(dict.fromkeys(numeric, float) | {"fits": "boolean", "source": object})
    words = frame.select_dtypes(exclude=["number", "bool", "boolean", "datetime"])
    # As objects, since pandas' own strings turn None into NaN, which is true where a missing name should be
    # false.
    return frame.assign(**words.astype(object).where(words.notna(), None))


def _scalars(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if not isinstance(value, dict | list)}
