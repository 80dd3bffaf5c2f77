"""Studies of an older layout, brought to this one when they are continued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from nas.definition import VERSION
from search_space.errors import UserError

# What studies did before they had a word for it.
_BEFORE: dict[str, Any] = {"memory": None}
_TRAINING_BEFORE: dict[str, Any] = {"window": None, "schedule": "cosine"}


def migrated(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A study's own record, as one of this version would have it.

    Args:
        record: the study's, of any version up to this one.
        name: of the study.

    Raises:
        UserError: it is of a newer version.
    """
    version = record["version"]
    if version > VERSION:
        raise UserError(f"study '{name}' is of version {version}, by a newer nas; this one knows {VERSION}")
    if version == VERSION:
        return dict(record)
    training = _TRAINING_BEFORE | record["settings"]["training"]
    return {**_BEFORE, **record, "settings": record["settings"] | {"training": training}, "version": VERSION}


def migrate(study: optuna.Study) -> None:
    """Brings a study to this version, where it is of an older one.

    Version 1 kept all costs from Core ML in one attribute, which processes could overwrite for each other.
    """
    record = study.user_attrs["study"]
    if record["version"] < VERSION:
        for number, costs in study.user_attrs.get("repriced", {}).items():
            study.set_user_attr(f"repriced:{number}", costs)
        study.set_user_attr("study", migrated(record, study.study_name))
