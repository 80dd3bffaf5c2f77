"""What a search starts from: clips and a space that fit its teacher."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from nas.clips import Clips, load_clips
from nas.settings import ClipSettings
from nas.teachers import Teacher
from search_space import DecoderConfig, SearchSpace
from search_space.counting import plural
from search_space.errors import UserError


def fitting_space(asked: SearchSpace | None, teacher: Teacher) -> SearchSpace:
    """The space asked for, or else the teacher's own, or for a teacher by path that of its compression.

    Raises:
        UserError: there is none, or its latents are not the teacher's.
    """
    if asked is not None:
        space = asked
    elif teacher.name in SearchSpace.presets():
        space = SearchSpace.preset(teacher.name)
    else:
        space = SearchSpace.for_latents(
            teacher.name, teacher.latent_channels, teacher.compression, teacher.keeps_first_frames
        )
    if (theirs := latents(teacher)) != (ours := latents(space)):
        raise UserError(f"the space is for {ours}; teacher {teacher.name} has {theirs}")
    return space


def latents(of: SearchSpace | DecoderConfig | Teacher) -> str:
    """Everything about the latents that a space or a design and its teacher must agree on."""
    by_time, by_height, by_width = of.compression
    dropped = 0 if of.keeps_first_frames else by_time - 1
    frames = f"T latents for {by_time}T{f'-{dropped}' if dropped else ''} frames"
    return f"{of.latent_channels} channels at {by_time}x{by_height}x{by_width}, {frames}"


def fitting_clips(data: Path | None, wanted: ClipSettings, teacher: Teacher, seed: int) -> Clips:
    """Clips of lengths that the teacher returns whole."""
    return load_clips(
        data,
        frames=teacher.frames(wanted.frames),
        size=wanted.size,
        train=wanted.train,
        validation=wanted.validation,
        validation_frames=teacher.frames(wanted.validation_frames),
        seed=seed,
    )


def describe(clips: Clips) -> list[str]:
    """What there is to train on and to validate with, and which files gave nothing."""

    def shape(pixels: torch.Tensor) -> str:
        return f"{len(pixels)} of {pixels.shape[2]}x{pixels.shape[3]}x{pixels.shape[4]}"

    use = f"{shape(clips.train)} to train on, {shape(clips.validation)} to validate with"
    lines = [f"clips from {plural(len(clips.sources), 'video')}: {use}; {clips.split}"]
    return lines + [f"skipped {path}: {reason}" for path, reason in clips.skipped]


def digest(clips: Clips) -> str:
    """Names the very pixels that designs are trained on and measured by."""
    total = hashlib.sha256(clips.train.numpy().tobytes())
    total.update(clips.validation.numpy().tobytes())
    return total.hexdigest()[:16]
