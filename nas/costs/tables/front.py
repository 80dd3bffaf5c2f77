"""The exact front of a whole space, by dynamic programming over the links of its chain.

Costs of a chain only add up, or are a maximum, and what a link costs depends on the rest of the chain by no
more than the variant, the width and the state before it. So a beginning of a chain that another beginning
with the same three beats in everything can't be part of a design on the front, whatever follows (Bellman's
principle, for several criteria: Henig, Management Science 31(10), 1985). Only the beginnings that are left
are continued; the result is that of going through every design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import moocore
import numpy as np

from nas.costs.tables.chain import LINKS, Chain
from nas.costs.tables.sums import Table


@dataclass(frozen=True)
class Criterion:
    """One cost that designs on the front are compared by.

    Attributes:
        column: of `Table.sums`; None for the peak of activations.
        maximised: whether more is better.
    """

    column: int | None
    maximised: bool = False


@dataclass(frozen=True)
class _Beginnings:
    """Beginnings of chains that share variant, width and state: costs [n, criteria], less being better, and
    the options taken so far [n, links]."""

    costs: np.ndarray
    rows: np.ndarray


def front(
    chain: Chain,
    tables: Sequence[Table],
    criteria: Sequence[Criterion],
    variants: Iterable[int],
    before: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:
    """Options [F, links] of the designs that no other of the space equals or beats in every criterion.

    Of designs with equal costs one is given. The order is by the first criterion.

    Args:
        chain: the links of the space.
        tables: one for each link.
        criteria: what is compared, two or more.
        variants: of the chain, those that count.
        before: the state before the first link.
        progress: hears how many of the links are done.
    """
    found: dict[tuple[int, int, int], _Beginnings] = {
        (variant, 0, before): _Beginnings(np.zeros((1, len(criteria))), np.zeros((1, 0), dtype=np.int64))
        for variant in variants
    }
    for link, table in enumerate(tables):
        progress(link, LINKS)
        found = _continued(chain, link, table, criteria, found)
    progress(LINKS, LINKS)
    everything = _best(list(found.values()))
    return everything.rows[np.lexsort(everything.costs.T[::-1])]


def _continued(
    chain: Chain,
    link: int,
    table: Table,
    criteria: Sequence[Criterion],
    found: dict[tuple[int, int, int], _Beginnings],
) -> dict[tuple[int, int, int], _Beginnings]:
    variants, befores, widths, *rest = chain.shape(link)
    costs = _costs(table, criteria).reshape(variants, befores, widths, -1, table.states, len(criteria))
    after = table.after.reshape(variants, befores, widths, -1, table.states)
    numbers = np.arange(chain.options(link)).reshape(variants, befores, widths, int(np.prod(rest)))
    reached: dict[tuple[int, int, int], list[_Beginnings]] = {}
    for (variant, width_before, state), beginnings in found.items():
        for width in range(widths):
            if link == 1 and width != width_before:
                continue  # up0 is as wide as the middle
            place = (variant, width_before if link > 1 else 0, width, slice(None))
            for left in np.unique(after[(*place, state)]):
                these = after[(*place, state)] == left
                options = _Beginnings(costs[(*place, state)][these], numbers[place][these, None])
                options = _best([options])
                reached.setdefault((variant, width, int(left)), []).append(
                    _joined(beginnings, options, criteria)
                )
    return {place: _best(parts) for place, parts in reached.items()}


def _costs(table: Table, criteria: Sequence[Criterion]) -> np.ndarray:
    """[rows, S, criteria], less being better."""
    columns = []
    for criterion in criteria:
        values = table.peaks if criterion.column is None else table.sums[:, :, criterion.column]
        columns.append(-values if criterion.maximised else values)
    return np.stack(columns, axis=-1)


def _joined(beginnings: _Beginnings, options: _Beginnings, criteria: Sequence[Criterion]) -> _Beginnings:
    """Each beginning continued by each option; only the best."""
    columns = []
    for index, criterion in enumerate(criteria):
        combine = np.add if criterion.column is not None else np.maximum
        columns.append(combine.outer(beginnings.costs[:, index], options.costs[:, index]).ravel())
    costs = np.stack(columns, axis=1)
    kept = np.flatnonzero(nondominated(costs))
    first, second = np.divmod(kept, len(options.costs))
    return _Beginnings(costs[kept], np.hstack([beginnings.rows[first], options.rows[second]]))


def _best(parts: Sequence[_Beginnings]) -> _Beginnings:
    costs = np.concatenate([part.costs for part in parts])
    kept = nondominated(costs)
    return _Beginnings(costs[kept], np.concatenate([part.rows for part in parts])[kept])


def nondominated(costs: np.ndarray) -> np.ndarray:
    """Which rows of costs [n, criteria], less being better, no other row equals or beats in everything.

    Of equal rows the first counts. Two criteria are sorted (Kung, Luccio, Preparata, J. ACM 22(4), 1975);
    more are left to `moocore.is_nondominated`.
    """
    if len(costs) == 0:
        return np.zeros(0, dtype=bool)
    if costs.shape[1] != 2:
        return np.asarray(moocore.is_nondominated(costs, keep_weakly=False))
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    second = costs[order, 1]
    best_before = np.concatenate([[np.inf], np.minimum.accumulate(second)[:-1]])
    kept = np.zeros(len(costs), dtype=bool)
    kept[order[second < best_before]] = True
    return kept
