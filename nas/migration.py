"""Studies of an older layout, brought to this one when they are continued."""

from __future__ import annotations

from typing import Any

import optuna

from nas.definition import VERSION
from search_space.errors import UserError

# What studies did before they had a word for it.
_BEFORE: dict[str, Any] = {"memory": None}
_TRAINING_BEFORE: dict[str, Any] = {"window": None, "schedule": "cosine"}


def migrate(study: optuna.Study) -> dict[str, Any]:
    """Brings a study to the present layout, where it is an older one.

    Version 1 kept all costs from Core ML in one attribute, which processes could overwrite for each other.

    Returns:
        The study's own record.

    Raises:
        UserError: it is of a newer version.
    """
    record: dict[str, Any] = study.user_attrs["study"]
    version = record["version"]
    if version > VERSION:
        raise UserError(
            f"study '{study.study_name}' is of version {version}, by a newer nas; this one knows {VERSION}"
        )
    if version == VERSION:
        return record
    for number, costs in study.user_attrs.get("repriced", {}).items():
        study.set_user_attr(f"repriced:{number}", costs)
    settings = record["settings"]
    training = _TRAINING_BEFORE | settings["training"]
    record = _BEFORE | record | {"settings": settings | {"training": training}, "version": VERSION}
    study.set_user_attr("study", record)
    return record
