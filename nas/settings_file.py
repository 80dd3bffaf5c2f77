"""Settings in YAML: a shipped preset by its name, or a file by its path."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from search_space.errors import UserError

_Model = TypeVar("_Model", bound=BaseModel)


def preset_names(presets: Traversable) -> list[str]:
    """The names of the shipped settings in the folder `presets`, sorted."""
    return sorted(Path(entry.name).stem for entry in presets.iterdir() if entry.name.endswith(".yaml"))


def read_settings(what: str, name: str | Path, presets: Traversable, expected: str) -> dict[str, Any]:
    """Keys and values of the preset called `name`, or of the file at that path.

    Args:
        what: the settings are, for messages.
        name: of the preset or file.
        presets: the folder of the shipped ones.
        expected: what such a file holds, for messages.

    Raises:
        UserError: there is no such preset or file, or it is no YAML mapping.
    """
    known = preset_names(presets)
    try:
        source = presets / f"{name}.yaml" if name in known else Path(name)
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{what} '{name}': neither a preset ({', '.join(known)}) nor a readable file ({error})"
        ) from None
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{what} '{name}': not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{what} '{name}': expected {expected}")
    return values


def validated(model: type[_Model], values: Any, what: str, name: str | Path, whole: str = "") -> _Model:
    """The settings that `values` hold; `whole` names them where no single key is wrong.

    Raises:
        UserError: a key or value is wrong (it is named).
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or whole
        raise UserError(f"{what} '{name}': {where}: {first['msg']}") from None
