"""A design in a few words."""

import re
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

_STAGE = re.compile(r"param\.(mid|up\d+)_blocks")


def described(row: Mapping[Hashable, Any]) -> str:
    """Blocks and convolution of each stage, latent to pixels, and the patch: ``3dw5 2dw5 1dense 2dense p2``.

    Args:
        row: of ``load_study``.

    Returns:
        The name of a published design in place of that, and the hash where the row has no such choices.
    """
    if row["name"]:
        return str(row["name"])
    stages = [match[1] for match in map(_STAGE.fullmatch, map(str, row)) if match]
    words = [
        f"{row[f'param.{stage}_blocks']:.0f}{row[f'param.{stage}_conv']}"
        for stage in sorted(stages)
        if pd.notna(row[f"param.{stage}_blocks"]) and row.get(f"param.{stage}_conv")
    ]
    patch = row.get("param.patch_size")
    if words and pd.notna(patch):
        words.append(f"p{patch:.0f}")
    return " ".join(words) or str(row["hash"] or "unknown")
