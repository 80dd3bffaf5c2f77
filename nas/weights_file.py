"""Weights in a file, as tensors by name; and what tells one design's weights from another's."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from search_space.errors import UserError, first_line

PICKLED = (".pt", ".pth", ".ckpt", ".bin")


def load_weights(path: Path) -> dict[str, Tensor]:
    """Reads safetensors, or a pickle that holds nothing but tensors, onto the CPU.

    Raises:
        UserError: there is no such file, it is damaged or cut off, or its pickle holds code.
    """
    contents = read_weights_file(path)
    if not all(isinstance(value, Tensor) for value in contents.values()):
        raise UserError(f"{path} holds more than tensors by name: it is no file of weights")
    return contents


def read_weights_file(path: Path) -> dict[str, Any]:
    """As `load_weights`, but a pickle may hold dictionaries of tensors in dictionaries, and plain values."""
    try:
        if path.suffix not in PICKLED:
            return dict(load_file(path))
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except pickle.UnpicklingError:
        raise UserError(
            f"{path} is a pickle that may run code, or damaged: only plain weights are read"
        ) from None
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged, cut off or no file of weights ({first_line(error)})") from None
    if not isinstance(contents, dict):
        raise UserError(f"{path} holds a {type(contents).__name__}, not weights by name")
    return contents


def first_difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    """The first layer, in the order of `wanted`, that `found` lacks or has in another shape; None if none.

    What `found` has too much comes last.
    """
    for name, tensor in wanted.items():
        if name not in found:
            return f"it has no {name} {_shape(tensor)}"
        if found[name].shape != tensor.shape:
            return f"{name} is {_shape(found[name])}, not {_shape(tensor)}"
    extra = next((name for name in found if name not in wanted), None)
    return None if extra is None else f"it has {extra} {_shape(found[extra])}, which the design has not"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
