"""What all trials of a study have in common, and whether a study may be continued with it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from nas.objectives import Objective
from search_space.errors import UserError

VERSION = 2  # of the layout of the records

_PACKAGES = ("nas-video-decoders", "torch", "optuna", "diffusers", "coremltools")


@dataclass(frozen=True)
class Definition:
    """What every trial of a study has in common, so that their figures compare.

    Attributes:
        teacher: its name.
        weights: kind, source, digest and description of the weights in use.
        device: the profile that latency and memory are estimated for.
        device_digest: of the profile's figures.
        resolution: height and width that costs are estimated at, px.
        frames: that costs are estimated at.
        memory: bytes that decoding may use; None for what the device gives one app.
        preset: name of the settings.
        settings: the settings in full.
        seed: of the sampler, of initial weights and of the order of clips.
        objectives: name and direction of each.
        constraints: as text.
        space: the space's own description.
        footage: digest of the clips; last, since other settings and another seed change it too, and a
            difference is named by what comes first.
    """

    teacher: str
    weights: dict[str, Any]
    device: str
    device_digest: str
    resolution: tuple[int, int]
    frames: int
    memory: int | None
    preset: str
    settings: dict[str, Any]
    seed: int
    objectives: tuple[Objective, ...]
    constraints: tuple[str, ...]
    space: dict[str, Any]
    footage: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values = asdict(self)
        return values | {key: list(values[key]) for key in ("resolution", "objectives", "constraints")}

    def check(self, known: Mapping[str, Any], name: str) -> None:
        """Sees that a study that was begun as `known` may be continued; `name` is the study's.

        Raises:
            UserError: it was defined otherwise; names the first difference.
        """
        now = self.to_dict()
        # The same weights may lie elsewhere by now, and settings have another name: what they are tells.
        del now["preset"]
        now["weights"] = {key: value for key, value in now["weights"].items() if key != "source"}
        check_terms(known, now, name)


def check_terms(known: Mapping[str, Any], now: Mapping[str, Any], name: str) -> None:
    """Sees that a study has the terms `now`, or some of them, as JSON values: see `Definition.check`."""
    difference = _first_difference(known, now)
    if difference is not None:
        key, before, after = difference
        raise UserError(
            f"study '{name}' was begun with {key} {before}, not {after}: continue it with the same,"
            " or begin another with --name"
        )


def circumstances() -> dict[str, Any]:
    """What is worth knowing of a study's beginning but need not stay the same."""
    return {
        "version": VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in _PACKAGES},
    }


def _first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    for key, value in now.items():
        known = before.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            inner = _first_difference(known, value)
            if inner is not None:
                return f"{key}.{inner[0]}", *inner[1:]
        elif known != value:
            return key, known, value
    return None
