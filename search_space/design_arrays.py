"""Many designs of a space at once, as an array of positions: none becomes an object until it is asked for.

An array of designs is int64 [N, P]: for each of the space's P parameters (`SearchSpace.asked`) the position
of what was chosen among its choices. `SearchSpace.at` makes the configuration of one.
"""

from typing import TYPE_CHECKING

import numpy as np

from search_space.operators import UPSAMPLERS
from search_space.space_file import STAGE_KEYS
from search_space.space_layout import layout

if TYPE_CHECKING:
    from search_space.space import SearchSpace


def draw(space: "SearchSpace", rng: np.random.Generator, count: int) -> np.ndarray:
    """Random designs [count, P], widths and blocks of each drawn around one level for the whole of it.

    Drawn apart, nearly every design would have some wide stage that decides its cost, and small ones would
    hardly occur. So the costs spread evenly on a logarithmic scale.
    """
    level = rng.uniform(size=count)
    columns = []
    for parameter in space.asked:
        last = len(parameter.choices) - 1
        around = np.rint(last * (level + rng.normal(0, 0.15, count)))
        anywhere = around if parameter.ordered else rng.integers(last + 1, size=count)
        columns.append(np.clip(anywhere, 0, last).astype(np.int64))
    return np.stack(columns, axis=1)


def canonical(space: "SearchSpace", designs: np.ndarray) -> np.ndarray:
    """The same architectures [N, P], with what means nothing in them at its first position.

    Two rows are equal where, and only where, the architectures are (`DecoderConfig.hash`).
    """
    column = {parameter.name: index for index, parameter in enumerate(space.asked)}
    choices = {parameter.name: parameter.choices for parameter in space.asked}
    designs = designs.copy()
    patch, doubling = designs[:, column["patch_size"]], designs[:, column["time_doubling"]]
    layouts = [
        [layout(space.compression, patch_size, when) for when in space.time_doubling]
        for patch_size in space.patch_size
    ]
    designs[:, column["time_doubling"]] = np.array([[row.index(one) for one in row] for row in layouts])[
        patch, doubling
    ]
    placed = np.array(layouts)  # [patch, doubling, up block, (upsamples, doubles time)]
    width_before = None
    for index, name in enumerate(STAGE_KEYS):
        has_conv_in = np.zeros(len(designs), dtype=bool)
        if index > 0:
            width = np.array(choices[f"{name}_width_rank"])[designs[:, column[f"{name}_width_rank"]]]
            if width_before is not None:
                has_conv_in = width != width_before
            width_before = width
        if f"{name}_upsampler" in column:
            upsamples, doubles_time = np.moveaxis(placed[patch, doubling, index - 1], -1, 0)
            offered = choices[f"{name}_upsampler"]
            chosen = designs[:, column[f"{name}_upsampler"]]
            has_conv_in &= ~(upsamples & np.array([UPSAMPLERS[u].changes_width for u in offered])[chosen])
            without_time = [UPSAMPLERS[u].without_time or u for u in offered]
            first = np.array([without_time.index(u) for u in without_time])
            chosen = np.where(doubles_time, chosen, first[chosen])
            designs[:, column[f"{name}_upsampler"]] = np.where(upsamples, chosen, 0)
        blocks = np.array(choices[f"{name}_blocks"])[designs[:, column[f"{name}_blocks"]]]
        designs[(blocks == 0) & ~has_conv_in, column[f"{name}_conv"]] = 0
    return designs
