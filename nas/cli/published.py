"""Published designs beside a study: what they cost, whether or not the study trained them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_COSTS = ("latency_ms", "fps", "params", "flops", "peak_memory_bytes")


def published_costs(study: pd.DataFrame) -> pd.DataFrame:
    """Prices the published designs that decode the latents of a study's teacher, by a trace of operators.

    Args:
        study: a table from `analysis.load_study`.

    Returns:
        One row a design that the study didn't train: `name` and its costs on the study's device and clip.
        Empty where the device isn't known here.
    """
    import pandas as pd

    from nas.costs import estimate
    from search_space import design, design_name, designs
    from search_space.errors import UserError

    record = study.attrs["study"]
    height, width = record["resolution"]
    latents = (record["space"].get("latent_channels"), record["space"].get("compression"))
    seen = set(study.loc[study["outcome"] == "trained", "hash"])
    rows = []
    for config in map(design, designs()):
        # Hunyuan's and Cog's are one decoder: the first name stands for both.
        if (config.latent_channels, list(config.compression)) != latents or config.hash in seen:
            continue
        seen.add(config.hash)
        try:
            costs = estimate(config, record["device"], (height, width), record["frames"], "trace")
        except UserError:  # the profile was a file that isn't here, or the clip doesn't suit the design
            continue
        rows.append({"name": design_name(config)} | {name: getattr(costs, name) for name in _COSTS})
    return pd.DataFrame(rows, columns=["name", *_COSTS])
