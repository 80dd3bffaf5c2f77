"""What confirms designs, as a study keeps it: one attribute `confirmed:NUMBER:STEPS:SEED` a training.

So processes that confirm one design at the same time write beside each other, and no training takes the
place of one of another length. Earlier searches kept the trainings of a design together, in
`confirmed:NUMBER`, which is read too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONFIRMED = "confirmed:"


def key(number: int, steps: int, seed: int) -> str:
    """The attribute for the training of trial `number`'s design of so many steps by a seed."""
    return f"{_CONFIRMED}{number}:{steps}:{seed}"


def numbers(attributes: Mapping[str, Any]) -> set[int]:
    """The trials whose designs have a training that confirms them, by a study's attributes."""
    keys = (each for each in attributes if each.startswith(_CONFIRMED))
    return {int(each.split(":")[1]) for each in keys}


def trainings(attributes: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    """The trainings that confirm the design of trial `number`, of every length, in the order of their seeds.

    Returns:
        Of each its "seed", "steps", "metrics", "curve" and "seconds".
    """
    together = attributes.get(f"{_CONFIRMED}{number}", {"runs": []})
    start = f"{_CONFIRMED}{number}:"
    apart = [one for each, one in attributes.items() if each.startswith(start)]
    found = [one | {"steps": together["steps"]} for one in together["runs"]] + apart
    return sorted(found, key=lambda one: (one["seed"], one["steps"]))
