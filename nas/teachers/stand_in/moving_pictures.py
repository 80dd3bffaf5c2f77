"""Clips for training the stand-in, made from the footage: shots as they are, photographs moved.

A photograph becomes a clip by a camera that pans, turns and zooms over it; half of them with a second
photograph moving before it behind a soft-edged mask, so that things appear and disappear as they do in video.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

LAYERED = 0.5  # share of moving photographs with a second one before them
STILL = 0.15  # share of cameras that do not move
SPEED = 1.5  # standard deviation of the camera's speed, pixels a frame on each axis
SHARPNESS = (0.7, 1.25)  # pixels of the photograph to one of the clip
FLAT = 10.0  # standard deviation (of 0..255) under which a clip shows nothing and only flatters the PSNR
FRONT = 0.3  # how far the random relief must rise before the second photograph shows
EDGE = 8.0  # steepness of that mask's edge


class Footage:
    """The scenes of one folder that `footage.py` wrote; about 1 GB for 200 of them.

    Args:
        folder: one entry a scene, `NAME.webp` or a folder of frames.
    """

    def __init__(self, folder: Path) -> None:
        entries = sorted(folder.iterdir())
        with ThreadPoolExecutor() as threads:
            self.photographs = list(threads.map(_picture, [path for path in entries if path.is_file()]))
            self.shots = [
                torch.stack(list(threads.map(_picture, sorted(path.iterdir()))))
                for path in entries
                if path.is_dir()
            ]

    def batch(self, seed: int, size: int, frames: int, side: int, shots: float) -> Tensor:
        """uint8 `[size, 3, frames, side, side]`; the share `shots` of them is cut from shots."""
        random = np.random.default_rng(seed)
        return torch.stack(
            [
                self.shot(random, frames, side)
                if random.random() < shots
                else self.moving(random, frames, side)
                for _ in range(size)
            ]
        )

    def shot(self, random: np.random.Generator, frames: int, side: int) -> Tensor:
        """A crop of a shot, at its speed or twice that, forwards or back: uint8 `[3, frames, side, side]`."""
        shot = self.shots[random.integers(len(self.shots))]
        step = int(random.integers(1, 3)) if len(shot) >= 2 * frames else 1
        start = random.integers(len(shot) - step * (frames - 1))
        clip = shot[start : start + step * (frames - 1) + 1 : step]
        if random.random() < 0.5:
            clip = clip.flip(0)
        wanted = int(side * random.uniform(1, min(1.25, min(clip.shape[2:]) / side)))
        top = random.integers(clip.shape[2] - wanted + 1)
        left = random.integers(clip.shape[3] - wanted + 1)
        crop = clip[:, :, top : top + wanted, left : left + wanted].float()
        crop = F.interpolate(crop, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
        return _finished(crop, random)

    def moving(self, random: np.random.Generator, frames: int, side: int) -> Tensor:
        """A camera moving over a photograph that shows something: uint8 `[3, frames, side, side]`."""
        clip = self._layers(random, frames, side)
        for _ in range(5):
            if clip.std() >= FLAT:
                break
            clip = self._layers(random, frames, side)
        return _finished(clip, random)

    def _layers(self, random: np.random.Generator, frames: int, side: int) -> Tensor:
        clip = _pan(self._photograph(random), random, frames, side)
        if random.random() < LAYERED:
            front = self._photograph(random)
            coarse = torch.from_numpy(random.normal(size=(1, 1, 9, 9))).float()
            relief = F.interpolate(coarse, size=front.shape[1:], mode="bicubic", align_corners=False)[0]
            moved = _pan(torch.cat([front, relief]), random, frames, side)
            mask = (moved[:, 3:] - FRONT).mul(EDGE).sigmoid()
            clip = clip * (1 - mask) + moved[:, :3] * mask
        return clip

    def _photograph(self, random: np.random.Generator) -> Tensor:
        return self.photographs[random.integers(len(self.photographs))]


def _pan(picture: Tensor, random: np.random.Generator, frames: int, side: int) -> Tensor:
    """`[frames, C, side, side]` of the picture `[C, H, W]` under a random camera."""
    height, width = picture.shape[1:]
    scale = random.uniform(*SHARPNESS)
    moves = random.random() >= STILL
    time = np.arange(frames) - frames / 2
    speed, pull = random.normal(0, SPEED * moves, 2), random.normal(0, 0.06 * moves, 2)
    path = time[:, None] * speed + time[:, None] ** 2 * pull
    # The camera's path stays inside the picture where it can; beyond the border it sees a mirror image.
    reach = side * scale / 2 + np.abs(path).max(0)
    centre = [
        random.uniform(min(r, size / 2), max(size - r, size / 2))
        for r, size in zip(reach, (width, height), strict=True)
    ]
    zoom = scale * np.exp(time * random.normal(0, 0.006 * moves))
    angle = random.normal(0, 0.15) + time * random.normal(0, 0.006 * moves)
    x, y = (path + centre).T
    # Only the part that the camera can see is converted and sampled.
    seen = 0.75 * side * zoom.max()
    left, right = (int(np.clip(edge, 0, width)) for edge in (x.min() - seen, x.max() + seen + 1))
    top, bottom = (int(np.clip(edge, 0, height)) for edge in (y.min() - seen, y.max() + seen + 1))
    part = picture[:, top:bottom, left:right].float()
    width, height = right - left, bottom - top
    x, y = x - left, y - top
    cos, sin = zoom * side * np.cos(angle), zoom * side * np.sin(angle)
    rows = [[cos / width, -sin / width, 2 * x / width - 1], [sin / height, cos / height, 2 * y / height - 1]]
    theta = torch.from_numpy(np.array(rows)).float().permute(2, 0, 1)
    grid = F.affine_grid(theta, [frames, 1, side, side], align_corners=False)
    return F.grid_sample(
        part.expand(frames, -1, -1, -1), grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )


def _finished(frames: Tensor, random: np.random.Generator) -> Tensor:
    clip = frames.round().clamp(0, 255).byte().transpose(0, 1)
    return clip.flip(-1) if random.random() < 0.5 else clip


def _picture(path: Path) -> Tensor:
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).contiguous()
