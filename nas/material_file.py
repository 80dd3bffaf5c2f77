"""The material of a search as one file, which its workers map into memory together.

Encoding the clips takes a large teacher minutes, so it is done once: a search that is continued finds the
file, and takes it where it was made of the same clips by the same teacher.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nas.aside import written_aside
from nas.material import Material


def cached_material(path: Path, made_of: dict[str, Any], make: Callable[[], Material]) -> float:
    """Has the file hold the material, and makes it only where it doesn't.

    Args:
        path: of the file.
        made_of: what names the material: digests of clips and weights, and the like.
        make: makes it.

    Returns:
        What the teacher itself reaches on the validation clips, dB.

    Raises:
        OSError: the file can't be written.
    """
    known = _metadata(path)
    if known is None or known["made_of"] != json.loads(json.dumps(made_of)):
        material = make()
        known = {
            "made_of": made_of,
            "feature_block": material.feature_block,
            "teacher_psnr": material.teacher_psnr,
        }
        # Safetensors refuses tensors that share memory.
        tensors = {name: tensor.contiguous().cpu().clone() for name, tensor in _tensors(material).items()}
        with written_aside(path) as temporary:
            # Not by save_file, which doesn't say what the system said.
            temporary.write_bytes(save(tensors, {"material": json.dumps(known)}))
    return float(known["teacher_psnr"])


def load_material(path: Path, device: torch.device) -> Material:
    """The material of a file, on that device; on the CPU all processes share one copy in memory."""
    known = _metadata(path)
    if known is None:
        raise FileNotFoundError(f"{path} is not there, or is no material of a search")
    with safe_open(path, "pt", device=str(device)) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors["teacher_frames"] = tensors["teacher_frames"].cpu()
    return Material(
        **{"features": None} | tensors,
        feature_block=known["feature_block"],
        teacher_psnr=known["teacher_psnr"],
    )


def _tensors(material: Material) -> dict[str, Tensor]:
    values = {field.name: getattr(material, field.name) for field in fields(material)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _metadata(path: Path) -> dict[str, Any] | None:
    """What a file says of itself; None where there is none that can be read."""
    try:
        with safe_open(path, "pt") as file:
            found: dict[str, Any] = json.loads(file.metadata()["material"])
            return found
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
