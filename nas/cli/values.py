"""Values that options take as text."""

from __future__ import annotations

import re

from search_space.errors import UserError

MEMORY = "What decoding may use, as 1.5GB. \\[default: what the device gives an app]"
DEVICE = "Device profile: a name from `nas devices`, or a YAML file."
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_budget(text: str) -> int:
    """`"50"` as a number of trainings; Typer, given an option of type int, would not say what was wrong.

    Raises:
        UserError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise UserError(f"budget '{text}': a whole number of trainings, as 50") from None


def parse_workers(text: str) -> int | None:
    """`"4"` as a number of workers; `"auto"` as None.

    Raises:
        UserError: it is none, or below 1.
    """
    if text == "auto":
        return None
    if not re.fullmatch(r"[1-9]\d*", text.strip()):
        raise UserError(f"workers '{text}': a whole number from 1, or auto")
    return int(text)


def parse_resolution(text: str) -> tuple[int, int]:
    """`"512x768"` as height and width, px.

    Raises:
        UserError: it is none.
    """
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text.strip())
    if match is None:
        raise UserError(f"resolution '{text}': height x width in pixels, as in 512x512")
    return int(match[1]), int(match[2])


def parse_duration(text: str) -> float:
    """`"8h"`, `"1h30m"` or `"90s"` as seconds.

    Raises:
        UserError: it is none, or zero.
    """
    match = re.fullmatch(r"(?:\d+(?:\.\d+)?[hms])+", text.strip())
    seconds = 0.0
    if match is not None:
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", match[0])
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds == 0:
        raise UserError(f"time '{text}': hours, minutes and seconds, as in 8h, 1h30m or 90s")
    return seconds


def parse_memory(text: str) -> int:
    """`"1.5GB"` as bytes.

    Raises:
        UserError: it is none, or zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(KB|MB|GB)", text.strip())
    amount = 0 if match is None else int(float(match[1]) * _BYTES[match[2]])
    if amount == 0:
        raise UserError(f"memory '{text}': a number of KB, MB or GB, as in 1.5GB")
    return amount
