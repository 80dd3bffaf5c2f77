"""What reports are made of, as a search and `nas report` leave it."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from analysis import pareto_front

ATTACK = (
    "</script><script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>{{ 7 * 7 }}%{x}"
)


def write_frames(path: Path, seed: int, clips: int = 4, side: int = 32) -> np.ndarray:
    """A picture as searches write it; returns its frames, uint8 [clips, 3, side, side, 3]."""
    frames = np.random.default_rng(seed).integers(0, 256, (clips, 3, side, side, 3), dtype=np.uint8)
    rows = frames.transpose(0, 2, 1, 3, 4).reshape(clips * side, 3 * side, 3)
    picture = Image.fromarray(rows).resize((6 * side, 2 * clips * side), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (picture.width, picture.height + 28), "white")
    sheet.paste(picture, (0, 28))
    sheet.save(path)
    return frames


def stages_of(table: pd.DataFrame) -> pd.DataFrame:
    """Costs by stage of a front, as `nas report` hands them over."""
    built = {"blocks": 2, "conv": "dw3", "width": 64, "upsampler": None}
    none = dict.fromkeys(built)
    rows = [
        {
            "number": number,
            "stage": stage,
            "latency_ms": share * latency,
            "params": 1e6,
            "flops": 2e9,
            "bytes": 3e6,
        }
        | (none if stage == "head" else built)
        for number, latency in pareto_front(table)[["number", "latency_ms"]].itertuples(index=False)
        for stage, share in (("mid_block", 0.25), ("up_block_0", 0.5), ("head", 0.25))
    ]
    columns = ["number", "stage", "latency_ms", "params", "flops", "bytes", *built]
    return pd.DataFrame(rows, columns=columns)
