"""A study as Optuna keeps it in a database: SQLite, PostgreSQL and others that SQLAlchemy reaches.

Optuna's own tables are read here directly: its loader makes an object of every trial, parameter and
attribute, which takes 8 to 15 s for 10,000 trials on SQLite (benchmarks/load_study.py).
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy
from optuna.distributions import json_to_distribution
from sqlalchemy import String, cast, column, func, select, table

from search_space.errors import UserError, first_line, without_password

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


@dataclass(frozen=True)
class Stored:
    """One study as its storage holds it.

    Attributes:
        name: of the study.
        attributes: the study's user attributes.
        trials: ``number``, ``state``, ``started`` and ``finished``, one row a trial, by number.
        trial_attributes: the user attributes of each trial that are read: "record", and "progress" of those
            that run.
        parameters: ``param.NAME``, one row a trial.
    """

    name: str
    attributes: dict[str, Any]
    trials: pd.DataFrame
    trial_attributes: list[dict[str, Any]]
    parameters: pd.DataFrame


def read_sqlite(path: Path, name: str | None) -> Stored:
    """Reads a study from a SQLite file, which is opened read-only, unless a writer died in the middle.

    Raises:
        UserError: it can't be read as a study, or holds several and ``name`` is None.
    """
    uri = path.resolve().as_uri()
    mode = "rw" if _left_half_written(uri) else "ro"
    engine = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"{uri}?mode={mode}", uri=True),
        poolclass=sqlalchemy.NullPool,
    )
    return _read(engine, str(path), name)


def _left_half_written(uri: str) -> bool:
    """Whether a process died while it wrote: who opens the file next has to undo that, and so to write."""
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorname", "") == "SQLITE_READONLY_ROLLBACK"
    finally:
        connection.close()
    return False


def read_database(url: sqlalchemy.URL, name: str | None) -> Stored:
    """Reads a study from the database at a URL.

    Raises:
        UserError: as ``read_sqlite``, or the database's Python package is missing; never with the password.
    """
    shown = without_password(url.render_as_string(hide_password=True))  # in the query, too
    try:
        # Where nothing answers, the system's own patience is minutes.
        patience = {"connect_timeout": 10} if url.get_dialect().driver.startswith("psycopg") else {}
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=patience)
    except sqlalchemy.exc.ArgumentError:
        raise UserError(f"{shown}: there is no such kind of database") from None
    except ModuleNotFoundError as error:
        raise UserError(f"{shown}: this storage needs the Python package '{error.name}'") from None
    return _read(engine, shown, name)


def chosen(names: Sequence[str], name: str | None, where: str) -> str:
    """The study of that name among those of a storage, or its only one.

    Raises:
        UserError: there is none, or several and ``name`` is None.
    """
    if not names:
        raise UserError(f"{where} holds no study")
    if name is None and len(names) > 1:
        raise UserError(f"{where} holds several studies, so say which: {', '.join(names)}")
    if name is not None and name not in names:
        raise UserError(f"{where} holds no study '{name}'; there are: {', '.join(names)}")
    return name or names[0]


def _read(engine: sqlalchemy.Engine, where: str, name: str | None) -> Stored:
    try:
        with engine.connect() as connection:
            names = connection.scalars(select(_STUDIES.c.study_name).order_by(_STUDIES.c.study_id))
            name = chosen(list(names), name, where)
            study = select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == name)
            study_id = connection.execute(study).scalar_one()
            attributes = connection.execute(
                select(_STUDY_ATTRIBUTES.c.key, _STUDY_ATTRIBUTES.c.value_json).where(
                    _STUDY_ATTRIBUTES.c.study_id == study_id
                )
            )
            return Stored(
                name,
                {key: json.loads(value) for key, value in attributes},
                *_trials(connection, study_id),
            )
    except sqlalchemy.exc.SQLAlchemyError as error:
        cause = first_line(getattr(error, "orig", None) or error)
        raise UserError(f"{where} can't be read as a study: {cause}") from None
    finally:
        engine.dispose()


def _trials(
    connection: sqlalchemy.Connection, study_id: int
) -> tuple[pd.DataFrame, list[dict[str, Any]], pd.DataFrame]:
    """The trials by number, the attributes of each, and their parameters."""
    is_record = (_ATTRIBUTES.c.trial_id == _TRIALS.c.trial_id) & (_ATTRIBUTES.c.key == "record")
    trials = pd.read_sql(
        select(
            _TRIALS.c.trial_id,
            _TRIALS.c.number,
            _TRIALS.c.state,
            _TRIALS.c.datetime_start.label("started"),
            _TRIALS.c.datetime_complete.label("finished"),
            _ATTRIBUTES.c.value_json.label("record"),
        )
        .outerjoin(_ATTRIBUTES, is_record)
        .where(_TRIALS.c.study_id == study_id)
        .order_by(_TRIALS.c.number),
        connection,
        parse_dates=["started", "finished"],
    )
    attributes: list[dict[str, Any]] = [
        {"record": json.loads(text)} if isinstance(text, str) else {} for text in trials["record"]
    ]
    # A finished trial's record has the whole curve, so only those under way are asked how far they came.
    progress = connection.execute(
        select(_TRIALS.c.number, _ATTRIBUTES.c.value_json)
        .join(_ATTRIBUTES, _ATTRIBUTES.c.trial_id == _TRIALS.c.trial_id)
        .where(_TRIALS.c.study_id == study_id)
        .where(cast(_TRIALS.c.state, String) == "RUNNING")  # PostgreSQL has a type of its own for it
        .where(_ATTRIBUTES.c.key == "progress")
    )
    places = {number: place for place, number in enumerate(trials["number"])}
    for number, text in progress:
        if number in places:  # not one that began after the trials were read
            attributes[places[number]]["progress"] = json.loads(text)
    parameters = _parameters(connection, study_id).reindex(trials["trial_id"]).reset_index(drop=True)
    return trials.drop(columns=["trial_id", "record"]), attributes, parameters


def _parameters(connection: sqlalchemy.Connection, study_id: int) -> pd.DataFrame:
    """``param.NAME`` by trial_id."""
    of_study = (
        select(_PARAMETERS)
        .join(_TRIALS, _TRIALS.c.trial_id == _PARAMETERS.c.trial_id)
        .where(_TRIALS.c.study_id == study_id)
    )
    names_and_values = (_PARAMETERS.c.trial_id, _PARAMETERS.c.param_name, _PARAMETERS.c.param_value)
    values = pd.read_sql(of_study.with_only_columns(*names_and_values), connection)
    # Optuna holds a parameter's choices fixed within a study, so one distribution a parameter decodes all.
    distributions = connection.execute(
        of_study.with_only_columns(
            _PARAMETERS.c.param_name, func.max(_PARAMETERS.c.distribution_json)
        ).group_by(_PARAMETERS.c.param_name)
    )
    decode = {parameter: json_to_distribution(text).to_external_repr for parameter, text in distributions}
    wide = values.pivot(index="trial_id", columns="param_name", values="param_value")
    decoded = {
        f"param.{parameter}": wide[parameter].map(
            {value: decode[parameter](value) for value in wide[parameter].dropna().unique()}
        )
        for parameter in wide.columns
    }
    return pd.DataFrame(decoded, index=wide.index)
