"""What was chosen for each design, as it was built."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

NOT_BUILT = "none"
"""Stands for a choice that means nothing in a design: a convolution of no blocks, an upsampler unused."""

_UP_BLOCKS = 4


def built_choices(designs: pd.DataFrame) -> pd.DataFrame:
    """The choices of a space, one column each, with what they came to.

    Searches ask for every choice of every design, so that a stage without residual blocks has a convolution
    too, which changes nothing; left as it is, it would blur what convolutions do.

    Args:
        designs: rows of ``designs`` or ``finalists``.

    Returns:
        The ``param.NAME`` columns under their bare names, with widths in channels for ranks, and
        ``NOT_BUILT`` for convolutions of stages without blocks and for upsamplers of stages that don't
        upsample; same index. Choices that are the same in every design are left out.
    """
    space = designs.attrs["study"]["space"]
    asked = designs[[name for name in designs.columns if name.startswith("param.")]]
    asked = asked.rename(columns=lambda name: name.removeprefix("param."))
    built = pd.DataFrame(index=asked.index)
    for name, values in asked.items():
        stage, _, what = str(name).partition("_")
        if what == "width_rank" and stage in space:
            widths = dict(enumerate(space[stage]["width"]))
            built[f"{stage}_width"] = values.map(widths)
        elif what == "conv" and f"{stage}_blocks" in asked:
            built[name] = values.where(asked[f"{stage}_blocks"] > 0, NOT_BUILT)
        elif what == "upsampler" and "compression" in space and "patch_size" in asked:
            built[name] = values.where(_upsamples(stage, space, asked["patch_size"]), NOT_BUILT)
        else:
            built[name] = values
    return built.loc[:, built.nunique(dropna=False) > 1]


def _upsamples(stage: str, space: Mapping[str, Any], patch_size: pd.Series) -> pd.Series:
    """Whether a stage upsamples: the last ones do, as many as doublings are left beside the head's patch."""
    upsampling = np.log2(space["compression"][1] / patch_size.astype(float))
    return int(stage.removeprefix("up")) >= _UP_BLOCKS - upsampling
