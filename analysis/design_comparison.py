"""Designs compared stage by stage: where the milliseconds, parameters and bytes go."""

import pandas as pd

WHOLE = "whole"
"""The row of `compare_designs` that sums all stages."""

_AMOUNTS = ("latency_ms", "params", "flops", "bytes")


def compare_designs(stages: pd.DataFrame) -> pd.DataFrame:
    """Where the milliseconds, parameters and bytes of designs go, and where they differ from the first one's.

    Args:
        stages: one row a stage of each design, in order: ``design``, ``stage``, ``latency_ms``, ``params``,
            ``flops`` and ``bytes``, as `nas.costs.estimate` gives them.

    Returns:
        The same rows, and after each design's one of ``stage`` ``WHOLE`` with the sums. To each amount belong
        ``AMOUNT.share`` (of the design's whole) and ``AMOUNT.difference`` (from the first design's stage of
        that name; a stage that the first lacks counts as 0 there).
    """
    tables = []
    first: pd.DataFrame | None = None
    for name, table in stages.groupby("design", sort=False):
        amounts = table.set_index("stage")[list(_AMOUNTS)]
        whole = amounts.sum()
        amounts.loc[WHOLE] = whole
        first = amounts if first is None else first
        shares = (amounts / whole.where(whole != 0)).add_suffix(".share")
        differences = (amounts - first.reindex(amounts.index).fillna(0)).add_suffix(".difference")
        tables.append(pd.concat([amounts, shares, differences], axis=1).reset_index().assign(design=name))
    compared = pd.concat(tables, ignore_index=True)
    return compared[["design", *compared.columns.drop("design")]]


def stage_order(stages: pd.DataFrame) -> list[str]:
    """One order of stages for designs of which some lack some: each before what follows it.

    Args:
        stages: as for `compare_designs`.
    """
    merged: list[str] = []
    for _, names in stages.groupby("design", sort=False)["stage"]:
        order = list(names)
        for place, stage in reversed(list(enumerate(order))):
            if stage not in merged:
                after = next((later for later in order[place + 1 :] if later in merged), None)
                merged.insert(merged.index(after) if after else len(merged), stage)
    return merged
