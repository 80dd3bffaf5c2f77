"""Short labels beside points, none over another label or a point."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

# About a point, in points of type: up and left first, which a front leaves free.
_AROUND = ((-5, 5), (5, -12), (5, 5), (-5, -12), (0, 9), (0, -16))


def label_points(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    texts: Sequence[str],
    avoid: np.ndarray | None = None,
    places: Sequence[tuple[float, float]] = _AROUND,
) -> None:
    """Writes each text beside its point, or leaves it out where there is no free place.

    Call it when everything else is drawn and the limits of ``ax`` are final.

    Args:
        ax: where to write.
        x, y: [labels], in data coordinates.
        texts: what to write.
        avoid: [points, 2], in data coordinates, that no label may cover.
        places: where a label may stand, in points of type right of and above its point; the first free one is
            taken.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    marks = ax.transData.transform(np.empty((0, 2)) if avoid is None else avoid)
    frame = ax.get_window_extent()
    taken: list[Bbox] = []
    for point_x, point_y, text in zip(x, y, texts, strict=True):
        for right, above in places:
            side = "left" if right > 0 else "right" if right < 0 else "center"
            label = ax.annotate(
                text, (point_x, point_y), (right, above), textcoords="offset points", zorder=5
            )
            label.set(size="small", horizontalalignment=side)
            label.set_path_effects([withStroke(linewidth=2, foreground="white")])
            box = label.get_window_extent()
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not box.padded(5).count_contains(marks) and not box.count_overlaps(taken):
                taken.append(box)
                break
            label.remove()
