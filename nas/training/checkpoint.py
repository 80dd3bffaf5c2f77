"""Where a training stands, as one safetensors file that is replaced whole.

Tensors are named `student.`, `average.`, `discriminator.` and, for each parameter with an
optimiser's state, `optimiser.PARAMETER.exp_avg` and so on; the file's metadata holds the rest as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nas.aside import write_whole
from search_space.errors import UserError, first_line

_FORMAT = 1


@dataclass(frozen=True)
class Place:
    """How far a training has come, and what it must be continued with.

    Attributes:
        step: optimiser steps done.
        seen: clips seen by all processes together, the number of the next one.
        design: the configuration's hash.
        teacher: the digest of the teacher's weights.
        settings: as nested dicts of JSON values.
    """

    step: int
    seen: int
    design: str
    teacher: str
    settings: dict[str, Any]


def save_checkpoint(path: Path, place: Place, tensors: Mapping[str, Tensor]) -> None:
    """Writes a checkpoint in place of the one before it.

    Raises:
        UserError: it can't be written, as on a full disk; the one before stays.
    """
    metadata = {"format": str(_FORMAT), "place": json.dumps(vars(place))}
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(whole, metadata=metadata))


def load_checkpoint(path: Path) -> tuple[Place, dict[str, Tensor]]:
    """Reads what `save_checkpoint` wrote, onto the CPU.

    Raises:
        UserError: it is damaged, or no checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            place = Place(**json.loads((file.metadata() or {})["place"]))
            return place, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged or no checkpoint ({first_line(error)}): remove it to begin anew"
        ) from None


def part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `name.`, without it."""
    return {
        key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")
    }


def named(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors with `name.` before their names."""
    return {f"{name}.{key}": value for key, value in tensors.items()}


def optimiser_state(optimiser: torch.optim.Optimizer, names: Iterable[str]) -> dict[str, Tensor]:
    """An optimiser's tensors by the names of its parameters, which are in its own order."""
    state = optimiser.state_dict()["state"]
    return {
        f"{name}.{key}": value
        for index, name in enumerate(names)
        for key, value in state.get(index, {}).items()
    }


def load_optimiser_state(
    optimiser: torch.optim.Optimizer, names: Iterable[str], tensors: Mapping[str, Tensor]
) -> None:
    """Undoes `optimiser_state`."""
    state = {index: part(tensors, name) for index, name in enumerate(names)}
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": {i: s for i, s in state.items() if s}, "param_groups": groups})
