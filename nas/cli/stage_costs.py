"""What each stage of some designs costs, for tables and pictures of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_AMOUNTS = ("latency_ms", "params", "flops", "bytes", "peak_activation_bytes")


def stage_costs(designs: pd.DataFrame) -> pd.DataFrame:
    """Prices designs again, stage by stage, by a trace of their operators.

    That takes milliseconds a design. Where a study's prices come from Core ML conversion, which takes seconds
    a block, the sum over the stages differs from them by as much as the two sources do.

    Args:
        designs: rows of a table from `analysis.load_study`.

    Returns:
        One row a stage of each design: `number`, `stage`, `latency_ms`, `params`, `flops`, `bytes` (moved),
        `peak_activation_bytes`, and of its blocks `blocks`, `conv`, `width`, `upsampler` (None where the
        stage has none). `.attrs["missing"]` says by trial number why a design has no rows.
    """
    import pandas as pd

    from nas.costs import estimate
    from search_space import DecoderConfig
    from search_space.config import STAGE_NAMES
    from search_space.errors import UserError, first_line

    record = designs.attrs["study"]
    height, width = record["resolution"]
    clip = ((height, width), record["frames"])
    rows: list[dict[str, Any]] = []
    missing: dict[int, str] = {}
    for design in designs.to_dict("records"):
        number = int(design["number"])
        try:
            config = DecoderConfig.from_dict(design["config"] or {})
            priced = estimate(config, record["device"], *clip, "trace", memory=record.get("memory"))
        except UserError as error:
            missing[number] = f"its stages can't be priced here: {first_line(error)}"
            continue
        built = dict(zip(STAGE_NAMES, config.stages, strict=True))
        for stage in priced.stages:
            blocks = built.get(stage.name)
            rows.append(
                {"number": number, "stage": stage.name}
                | {amount: getattr(stage, amount) for amount in _AMOUNTS}
                | {key: getattr(blocks, key, None) for key in ("blocks", "conv", "width", "upsampler")}
            )
    columns = ["number", "stage", *_AMOUNTS, "blocks", "conv", "width", "upsampler"]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["missing"] = missing
    return table
