"""What a search optimises, by name and direction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from search_space.conditions import known_name
from search_space.errors import UserError

QUALITY = ("psnr", "ssim")  # measured by training, on validation clips
COSTS = ("latency_ms", "fps", "params", "flops", "peak_memory_bytes")  # known before it
AT_BOUND = {"latency_ms": "latency_high_ms", "fps": "fps_low"}  # the pessimistic end of its 90 % interval
_MAXIMISED = {"psnr", "ssim", "fps", "fps_low"}


@dataclass(frozen=True)
class Objective:
    """One objective of a study, under the name that its records use."""

    name: str
    direction: Literal["maximize", "minimize"]

    def to_dict(self) -> dict[str, str]:
        """As the study keeps it."""
        return asdict(self)


def parse_objectives(text: str, at_bound: bool = False) -> tuple[Objective, ...]:
    """Reads comma-separated names such as ``"psnr,latency_ms"``.

    Args:
        text: the names.
        at_bound: whether latency and speed stand for the pessimistic ends of their intervals.

    Raises:
        UserError: a name is unknown or comes twice, or none of them needs training.
    """
    names = [known_name(name.strip(), QUALITY + COSTS) for name in text.split(",")]
    if len(set(names)) < len(names):
        raise UserError(f"objectives '{text}': each may come once")
    if not set(names) & set(QUALITY):
        raise UserError(f"objectives '{text}': at least one must be of quality ({', '.join(QUALITY)})")
    if at_bound:
        names = [AT_BOUND.get(name, name) for name in names]
    return tuple(Objective(name, "maximize" if name in _MAXIMISED else "minimize") for name in names)
