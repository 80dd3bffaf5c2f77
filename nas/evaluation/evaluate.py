"""`nas evaluate`: a student and its teacher against original clips, or each other on given latents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas.aside import write_whole
from nas.evaluation.frechet import FEATURES, I3d, frechet_distance
from nas.evaluation.measures import Measures, mean, measure
from nas.evaluation.students import Student
from nas.frames import side_by_side
from nas.listener import Listener
from nas.material import middle_frames
from nas.perceptual import Lpips
from nas.quality import to_unit
from nas.teachers import Teacher
from nas.training.latents import sample
from search_space.counting import plural
from search_space.errors import UserError

_SHOWN = 4  # clips in the picture


@dataclass
class Evaluation:
    """What is measured, and with what.

    Attributes:
        student: the decoder.
        teacher: whose latents it decodes, and what it is compared with.
        lpips: with AlexNet; None leaves LPIPS out.
        i3d: None leaves rFVD out.
        listener: hears how many clips are done.
    """

    student: Student
    teacher: Teacher
    lpips: Lpips | None = None
    i3d: I3d | None = None
    listener: Listener = field(default_factory=Listener)
    _features: dict[str, list[Tensor]] = field(default_factory=dict)

    def on_clips(self, clips: Iterator[tuple[str, Tensor]], *, sampled: bool) -> Report:
        """Encodes clips with the teacher, decodes them with both, and compares with the originals.

        Args:
            clips: names and uint8 `[3, T, H, W]`.
            sampled: take a sample of each posterior, as published tables do, always the same; else the mean.

        Raises:
            UserError: there are no clips, or fewer than two for rFVD.
        """
        self._features = {}
        report = Report(self._about() | {"latents": "sampled" if sampled else "mean"})
        for number, (name, pixels) in enumerate(clips):
            clip = to_unit(pixels[None].to(self.teacher.device))
            mean_latent, std = self.teacher.posterior(clip)
            latent = sample(mean_latent, std, torch.tensor([number]), seed=0) if sampled else mean_latent
            videos = {"original": clip} | self._decoded(latent)
            report.add(
                name,
                {
                    "student": self._measured(videos["student"], clip),
                    "teacher": self._measured(videos["teacher"], clip),
                    "student_to_teacher": self._measured(videos["student"], videos["teacher"]),
                },
                videos,
            )
            if self.i3d is not None:
                for who, video in videos.items():
                    self._features.setdefault(who, []).append(self.i3d(video))
            self.listener.progress("clips", number + 1)
        report.close()
        if self.i3d is not None:
            report.all |= self._frechet(len(report.clips))
        return report

    def on_latents(self, latents: Iterator[tuple[str, Tensor]]) -> Report:
        """Decodes raw latents `[1, C, t, h, w]` with both, and compares the student with the teacher.

        Raises:
            UserError: there are none.
        """
        report = Report(self._about() | {"latents": "given"})
        for name, latent in latents:
            videos = self._decoded(latent)
            measured = self._measured(videos["student"], videos["teacher"])
            report.add(name, {"student_to_teacher": measured}, videos)
            self.listener.progress("latents", len(report.clips))
        report.close()
        return report

    def _decoded(self, latent: Tensor) -> dict[str, Tensor]:
        videos = {
            "teacher": self.teacher.decode(latent).float(),
            "student": self.student.decode(latent, self.teacher).float(),
        }
        ours, theirs = (list(videos[who].shape) for who in ("student", "teacher"))
        if ours != theirs:
            raise UserError(f"{self.student.name} makes {ours} of a latent, the teacher {theirs}")
        return videos

    def _measured(self, video: Tensor, reference: Tensor) -> Measures:
        return measure(video, reference, self.teacher.compression[0], self.lpips)

    def _frechet(self, clips: int) -> dict[str, Any]:
        if clips < 2:
            raise UserError("rFVD needs two clips at least: give more videos, or leave --i3d out")
        features = {who: torch.cat(rows) for who, rows in self._features.items()}
        distances: dict[str, Any] = {
            f"rfvd_{who}": frechet_distance(features[who], features["original"])
            for who in ("student", "teacher")
        }
        if clips < FEATURES:
            distances["rfvd_note"] = f"of {plural(clips, 'clip')} only: below {FEATURES} it says little"
        return distances

    def _about(self) -> dict[str, Any]:
        return {
            "student": self.student.name,
            "parameters": self.student.parameters,
            "teacher": self.teacher.name,
            "teacher_weights": self.teacher.weights.description,
            "teacher_digest": self.teacher.weights.digest,
        }


class Report:
    """What an evaluation found, clip by clip and in all.

    Attributes:
        about: what was evaluated.
        clips: one entry a clip: "name", and measures by what was compared.
        all: the mean over clips of each, and rFVD.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about
        self.clips: list[dict[str, Any]] = []
        self.all: dict[str, Any] = {}
        self._frames: dict[str, list[Tensor]] = {}

    def add(self, name: str, measures: dict[str, Measures], videos: dict[str, Tensor]) -> None:
        """Takes in a clip, and the middle frame of its videos `[1, 3, T, H, W]` where it is to be shown."""
        self.clips.append({"name": name} | measures)
        if len(self.clips) <= _SHOWN:
            for who, video in videos.items():
                self._frames.setdefault(who, []).append(middle_frames(video)[0])

    def close(self) -> None:
        """Takes the mean over all clips.

        Raises:
            UserError: there are none.
        """
        if not self.clips:
            raise UserError("nothing to evaluate on: no clip is long enough")
        compared = [key for key in self.clips[0] if key != "name"]
        self.all = {key: mean([clip[key] for clip in self.clips]) for key in compared}

    def to_dict(self) -> dict[str, Any]:
        """As nested dicts of JSON values."""
        return self.about | {"all": self.all, "clips": self.clips}

    def write(self, folder: Path) -> None:
        """Writes `evaluation.json` and `frames.png`.

        Raises:
            UserError: they can't be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"'{folder}' can't be made: {error.strerror}") from None
        write_whole(folder / "evaluation.json", json.dumps(self.to_dict(), indent=2).encode())
        # Clips of several sizes, as given latents may be, can't stand in one picture.
        same = [
            [frame for frame in frames if frame.shape == frames[0].shape] for frames in self._frames.values()
        ]
        columns = dict(zip(self._frames, map(torch.stack, same), strict=True))
        side_by_side(columns, self._legend()).save(folder / "frames.png")

    def _legend(self) -> list[str]:
        lines = [f"{self.about['student']}: {self.about['parameters']:,} parameters"]
        for compared, measures in self.all.items():
            if isinstance(measures, dict):
                figures = f"PSNR {measures['psnr']:.2f} dB, SSIM {measures['ssim']:.4f}"
                lines.append(f"{compared.replace('_', ' ')}: {figures}")
        return [*lines, f"teacher {self.about['teacher']}: {self.about['teacher_weights']}"]
