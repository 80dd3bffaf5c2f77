"""What a test can see of a picture: its words, and whether anything on it covers anything else."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def many(study: pd.DataFrame, copies: int) -> pd.DataFrame:
    """A study as large as that many of it, its latencies spread so that no two designs are the same."""
    tables = [
        study.assign(
            number=study["number"] + i * len(study),
            hash=study["hash"] + str(i),
            latency_ms=study["latency_ms"] * (1 + i / 1e4),
        )
        for i in range(copies)
    ]
    large = pd.concat(tables, ignore_index=True)
    large.attrs = study.attrs
    return large


def words(ax: Axes) -> str:
    """All text on a picture, lines joined."""
    texts = [text.get_text() for text in ax.figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return " ".join(" ".join(texts).split())


def faults(ax: Axes) -> list[str]:
    """What is wrong with a picture: texts that cover one another or leave the figure, or nothing drawn."""
    figure = ax.get_figure(root=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [(text.get_text().strip(), text.get_window_extent()) for text in _texts(ax)]
    frame = figure.bbox.padded(1)
    found = [f"'{text}' leaves the figure" for text, box in boxes if not _within(frame, box)]
    for i, (text, box) in enumerate(boxes):
        # A pixel may be shared: boxes are larger than what is drawn in them.
        found += [f"'{text}' covers '{other}'" for other, at in boxes[i + 1 :] if box.padded(-1).overlaps(at)]
    if np.asarray(canvas.buffer_rgba())[..., :3].std() < 1:
        found.append("the picture is blank")
    return found


def _texts(ax: Axes) -> list[Text]:
    texts: list[Text] = []
    for axes in ax.get_figure(root=True).axes:
        legend = axes.get_legend()
        ticks = [axes.xaxis, axes.yaxis, *(child.xaxis for child in axes.child_axes)]
        low_high = [sorted(axis.get_view_interval()) for axis in ticks]
        texts += [*axes.texts, *(legend.get_texts() if legend else []), axes.xaxis.label, axes.yaxis.label]
        texts += [axes.title, axes._left_title]
        for axis, (low, high) in zip(ticks, low_high, strict=True):
            shown = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            texts += [label for tick in shown for label in (tick.label1, tick.label2)]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def _within(frame: Bbox, box: Bbox) -> bool:
    return frame.x0 <= box.x0 and frame.y0 <= box.y0 and box.x1 <= frame.x1 and box.y1 <= frame.y1
