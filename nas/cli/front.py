"""The front of a study: as a table, as JSON and as files."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STAGES = ("mid", "up0", "up1", "up2", "up3")
_WIDE = 140  # columns where there is no terminal to say


def output() -> Console:
    """Where results go: standard output, wide enough for a table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def write_picture(study: pd.DataFrame, objectives: list[str] | None, path: Path) -> None:
    """Draws the front of a study from `analysis.load_study` into a file.

    Raises:
        UserError: the file can't be written, or an objective is unknown.
    """
    from analysis import plot_front, save_figure

    figure: Figure = plot_front(study, objectives).figure  # type: ignore[assignment]  # of no other figure
    save_figure(figure, path)


def print_front(front: pd.DataFrame, as_json: bool) -> None:
    """Prints the rows of a front from `analysis.pareto_front`."""
    if as_json:
        from analysis import flat

        print(flat(front).to_json(orient="records", date_format="iso", indent=2))
    else:
        output().print(front_table(front))


def front_table(front: pd.DataFrame) -> Table:
    """One row a design of a front from `analysis.pareto_front`."""
    record = front.attrs["study"]
    height, width = record["resolution"]
    clip = f"{record['frames']} frames of {height}x{width}"
    title = f"Front of {front.attrs['name']}: {clip} on {record['device']}"
    table = Table(title=title, caption=_caption(front))
    table.add_column("trial", justify="right")
    table.add_column("design", overflow="fold")
    for heading in ("PSNR", "SSIM", "ms", "fps", "M params", "GFLOP", "MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in front.to_dict("records"):
        table.add_row(
            str(row["number"]),
            row["name"] or _summary(row),
            f"{row['psnr']:.2f}",
            f"{row['ssim']:.3f}",
            f"{row['latency_ms']:,.0f}",
            f"{row['fps']:.1f}",
            f"{row['params'] / 1e6:.1f}",
            f"{row['flops'] / 1e9:,.0f}",
            f"{row['peak_memory_bytes'] / 1e6:,.0f}",
        )
    return table


def _caption(front: pd.DataFrame) -> str:
    """What the figures rest on."""
    record = front.attrs["study"]
    coreml = (front["source"] == "coreml").all() if len(front) else False
    source = "from Core ML conversion" if coreml else "from a trace of operators"
    lines = [f"Costs are estimates {source}. Teacher: {record['weights']['description']}."]
    if record["settings"]["proxy"] is not None:
        lines.append("Quality is of narrowed proxies: it ranks full designs only roughly.")
    return " ".join(lines)


def _summary(row: Mapping[Hashable, Any]) -> str:
    """Blocks and convolution of each stage, latent to pixels, and the patch: `3dw5 2dw5 1dense 2dense p2`."""
    stages = [f"{row[f'param.{stage}_blocks']:.0f}{row[f'param.{stage}_conv']}" for stage in _STAGES]
    return " ".join([*stages, f"p{row['param.patch_size']:.0f}"])
