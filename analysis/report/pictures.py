"""The pictures of a front: what designs decode, and where it differs from the original and from the teacher.

A trial's ``frames.png`` (written by a search) holds square frames in three columns, original, teacher and
student, a row a clip, under a legend. It comes from a folder that anybody may have written to, so whatever is
wrong with it is said in its place.
"""

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from PIL import Image

FULL_SCALE = 64
"""Levels of 255, averaged over the colours, that a difference map shows in its brightest colour."""

_ROWS = 4
_COLUMNS = 3
_MOST_PIXELS = 4096 * 4096  # of a picture that is opened at all
_SCALE = np.round(colormaps["magma"](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
# Characters a pixel that WebP takes in base64 at each quality, on frames of searches; None is lossless.
_QUALITIES: tuple[tuple[int | None, float], ...] = ((None, 1.6), (90, 0.6), (75, 0.35), (50, 0.27))
_CLIPS = (4, 2, 1)  # of each design, fewer only at the poorest quality


def pictures(
    paths: Mapping[int, Path], budget: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """Frames and difference maps for the page.

    Args:
        paths: of ``frames.png``, by trial number, the most important first: where there is no room for all,
            the last are left out.
        budget: characters that all pictures together may take; by it their quality is chosen and, where the
            poorest takes too much, how many clips of each design are shown.
        progress: hears how many of how many designs are done.

    Returns:
        ``images``: data URIs, each once, however many designs share it; ``designs``: by trial number one
        entry a clip, with places in ``images`` (``original``, ``teacher``, ``student``, ``from_original``,
        ``from_teacher``) and the mean difference of the student in levels of 255 (``off_original``,
        ``off_teacher``); ``missing``: why a design has none, by trial number.
    """
    missing: dict[int, str] = {}
    sheets = {}
    for number, path in paths.items():
        try:
            sheets[number] = read_sheet(path)
        except FileNotFoundError:
            missing[number] = f"there is no {path}"
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            missing[number] = f"{path} can't be read as its frames: {error}"
    quality, clips = _plan(sheets, budget)
    images: dict[str, int] = {}
    spent = 0
    shown: dict[int, list[dict[str, Any]]] = {}
    for done, (number, sheet) in enumerate(sheets.items()):
        progress(done, len(sheets))
        if spent > budget:
            missing[number] = "left out, so that the page stays small; see frames.png in the trial's folder"
            continue
        shown[number] = []
        for clip in sheet[:clips]:
            entry: dict[str, Any] = {}
            for name, picture in _with_differences(clip, entry):
                uri = _data_uri(picture, quality)
                if uri not in images:
                    spent += len(uri)
                entry[name] = images.setdefault(uri, len(images))
            shown[number].append(entry)
    return {"images": list(images), "designs": shown, "missing": missing, "full_scale": FULL_SCALE}


def read_sheet(path: Path) -> np.ndarray:
    """The frames of a picture that a search wrote.

    Returns:
        uint8 [clips, 3, H, W, 3]: original, teacher and student of each clip, at the size that was decoded.

    Raises:
        OSError, ValueError, SyntaxError, Image.DecompressionBombError: it is none.
    """
    with Image.open(path, formats=["PNG"]) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError(f"{picture.width}x{picture.height} pixels are too many")
        pixels = np.asarray(picture.convert("RGB"))
    side = pixels.shape[1] // _COLUMNS  # each frame is square, and drawn at twice its size
    rows = pixels.shape[0] // side if side else 0
    if not 1 <= rows <= _ROWS or side % 2 or pixels.shape[1] % _COLUMNS:
        raise ValueError(f"{pixels.shape[1]}x{pixels.shape[0]} pixels are not three columns of square frames")
    frames = pixels[-rows * side :].reshape(rows, side, _COLUMNS, side, 3)
    return frames.transpose(0, 2, 1, 3, 4)[:, :, ::2, ::2]


def difference_map(frame: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, float]:
    """Where two frames differ.

    Args:
        frame, other: uint8 [H, W, 3].

    Returns:
        uint8 [H, W, 3] in matplotlib's "magma", black where they are equal and brightest from ``FULL_SCALE``
        levels up; and the mean difference in levels of 255.
    """
    levels = np.abs(frame.astype(np.int16) - other).mean(axis=2)
    return _SCALE[np.clip(levels * (255 / FULL_SCALE), 0, 255).astype(np.uint8)], float(levels.mean())


def _with_differences(clip: np.ndarray, entry: dict[str, Any]) -> list[tuple[str, np.ndarray]]:
    """The five pictures of a clip [3, H, W, 3] by name; the mean differences go into ``entry``."""
    original, teacher, student = clip
    from_original, entry["off_original"] = difference_map(student, original)
    from_teacher, entry["off_teacher"] = difference_map(student, teacher)
    return [
        ("original", original),
        ("teacher", teacher),
        ("student", student),
        ("from_original", from_original),
        ("from_teacher", from_teacher),
    ]


def _plan(sheets: Mapping[int, np.ndarray], budget: int) -> tuple[int | None, int]:
    """The best quality and the most clips of a design with which all pictures fit, or else the least."""
    for clips in _CLIPS:
        pixels = 3 * sum(sheet[:clips, 0, :, :, 0].size for sheet in sheets.values())
        for quality, size in _QUALITIES if clips == _CLIPS[0] else _QUALITIES[-1:]:
            if pixels * size <= budget:
                return quality, clips
    return _QUALITIES[-1][0], _CLIPS[-1]


def _data_uri(pixels: np.ndarray, quality: int | None) -> str:
    buffer = io.BytesIO()
    options: dict[str, Any] = {"lossless": True, "quality": 50} if quality is None else {"quality": quality}
    Image.fromarray(pixels).save(buffer, "webp", **options)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
