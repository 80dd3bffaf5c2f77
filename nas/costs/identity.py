"""Which blocks are the same: what lets a block be traced or converted once for a whole search."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import is_dataclass
from types import FunctionType
from typing import Any

from torch import nn

_BASE = frozenset(vars(nn.Module())) - {"training"}


def identity(block: nn.Module, input_shape: Sequence[int]) -> str:
    """Digest of all that decides what `block` computes on `input_shape` within this process.

    That is, for it and every module inside it: the class, the shapes of parameters and buffers, and the plain
    attributes. (Between processes a class may change; `TracedBlock.fingerprint` is then what tells.)

    Raises:
        TypeError: where a module holds an attribute that can't be described by its value.
    """
    described = [repr(tuple(input_shape))]
    for path, module in block.named_modules():
        described.append(f"{path}:{type(module).__module__}.{type(module).__qualname__}")
        described += [
            f"{name}={_plain(value, path, name)}" for name, value in vars(module).items() if name not in _BASE
        ]
        described += [
            f"{name}{tuple(tensor.shape)}" for name, tensor in module.named_parameters(recurse=False)
        ]
        described += [f"{name}{tuple(tensor.shape)}" for name, tensor in module.named_buffers(recurse=False)]
    return hashlib.sha256("\n".join(described).encode()).hexdigest()


def _plain(value: Any, path: str, name: str) -> str:
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return "(" + ",".join(_plain(item, path, name) for item in value) + ")"
    if is_dataclass(value):
        return f"{type(value).__qualname__}{_plain(list(vars(value).values()), path, name)}"
    if isinstance(value, FunctionType) and value.__closure__ is None and value.__name__ != "<lambda>":
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(
        f"module {path or 'block'} holds {name}, a {type(value).__name__}: its value does not describe it"
    )
