"""Decoded frames side by side: commonly the original, the teacher's and the student's."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import torch
from PIL import Image, ImageDraw
from torch import Tensor

_LINE, _LETTER = 14, 6  # height of a line and width of a letter of the legend, px
_ROWS = 4  # clips shown


def side_by_side(columns: Mapping[str, Tensor], legend: list[str]) -> Image.Image:
    """One row a clip, under a legend that is wrapped to fit.

    Args:
        columns: what each is headed by, and uint8 `[N, 3, H, W]`, the same N frames in each; four are shown.
        legend: sentences written above; the teacher's weights are named here where they are a stand-in.
    """
    drawn = [torch.cat(list(frames[:_ROWS]), dim=1) for frames in columns.values()]
    pixels = torch.cat(drawn, dim=2).permute(1, 2, 0).contiguous()
    frames = Image.fromarray(pixels.numpy())
    frames = frames.resize((frames.width * 2, frames.height * 2), Image.Resampling.NEAREST)
    lines = [line for text in legend for line in textwrap.wrap(text, frames.width // _LETTER)]
    sheet = Image.new("RGB", (frames.width, frames.height + _LINE * (len(lines) + 1)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, text in enumerate(lines):
        draw.text((2, row * _LINE), text, fill="black")
    for column, text in enumerate(columns):
        draw.text((column * frames.width // len(columns) + 2, len(lines) * _LINE), text, fill="black")
    sheet.paste(frames, (0, sheet.height - frames.height))
    return sheet
