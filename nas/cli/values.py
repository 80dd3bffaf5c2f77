"""Values that options take as text."""

from __future__ import annotations

import re

from search_space.errors import UserError

DEVICE = "Device profile: a name from `nas devices`, or a YAML file."
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def parse_budget(text: str) -> int:
    """`"50"` as a number of trainings; Typer, given an option of type int, would not say what was wrong.

    Raises:
        UserError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise UserError(f"budget '{text}': a whole number of trainings, as 50") from None


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
