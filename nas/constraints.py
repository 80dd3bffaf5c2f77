"""What a design must meet before anything is trained: conditions on its static costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nas.objectives import AT_BOUND, COSTS, QUALITY
from search_space.conditions import Condition, parse_condition
from search_space.errors import UserError


def parse_constraints(texts: Sequence[str], at_bound: bool = False) -> tuple[Condition, ...]:
    """Reads constraints such as ``"params<=45M"``, ``"fps>=24"`` or ``"fits"``.

    Args:
        texts: one a constraint.
        at_bound: whether latency and speed stand for the pessimistic ends of their intervals.

    Raises:
        UserError: one can't be read, bounds nothing, or names a quality, which is known only after training.
    """
    conditions = tuple(parse_condition(text, (*COSTS, "fits", *QUALITY)) for text in texts)
    for condition in conditions:
        if condition.operator is None and condition.name in COSTS:
            raise UserError(f"constraint '{condition}': expected a bound, as in 'fps>=24' or 'params<=45M'")
        if condition.name in QUALITY:
            raise UserError(
                f"constraint '{condition}': {condition.name} is known only after training;"
                f" constraints are on {', '.join(COSTS)} or fits"
            )
    if at_bound:
        conditions = tuple(replace(one, name=AT_BOUND.get(one.name, one.name)) for one in conditions)
    return conditions


def why_refused(constraints: Sequence[Condition], costs: Mapping[str, object]) -> str | None:
    """The constraints that these costs break, with the values they have; None where they break none."""
    broken = [condition for condition in constraints if not condition.holds(costs)]
    if not broken:
        return None
    return "; ".join(
        f"{condition.name} is {costs[condition.name]:.6g}, not {condition.operator} {condition.bound:.6g}"
        if condition.operator
        else f"not {condition.name}"
        for condition in broken
    )


def why_none_meets(constraints: Sequence[Condition], priced: Sequence[Mapping[str, object]]) -> str:
    """One line on constraints that no priced design met: each one's best value, in the order given."""
    parts = []
    for condition in constraints:
        if any(condition.holds(costs) for costs in priced):
            parts.append(f"'{condition}' can be met alone")
        elif condition.operator is None:
            parts.append(f"'{condition}' by none")
        else:
            values = [float(costs[condition.name]) for costs in priced]  # type: ignore[arg-type]
            best = min(values) if condition.operator.startswith("<") else max(values)
            parts.append(f"'{condition}': the best has {best:.6g}")
    return f"no design of {len(priced)} tried meets the constraints: {'; '.join(parts)}"
