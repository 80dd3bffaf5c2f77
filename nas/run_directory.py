"""A run's folder: study, settings, log, and one folder a trained trial, which appears whole or not at all.

runs/NAME/study.db          the study, unless it lies in another storage
runs/NAME/settings.yaml     the settings in full, as `nas search --settings` reads them
runs/NAME/search.log        what failed, with tracebacks
runs/NAME/material.safetensors  clips, latents and features that designs are trained on
runs/NAME/trials/NNNN/      config.json, metrics.json, curve.csv, weights.safetensors, frames.png
runs/NAME/confirmed/NNNN-STEPS-SEED/  the same, of each longer training that confirms a trial's design
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nas.aside import written_aside
from search_space.errors import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")  # than a name may hold
_RUNS = Path("runs")


@dataclass(frozen=True)
class RunDirectory:
    """The paths of one run, and the name of its study in its storage."""

    path: Path
    name: str

    @classmethod
    def named(cls, name: str) -> RunDirectory:
        """`runs/NAME`.

        Raises:
            UserError: the name could lead out of `runs/`, or holds what some file system or database refuses.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"study name '{name}': it may hold letters, digits, '.', '_' and '-' and starts with a letter"
                " or digit; a folder elsewhere is given with --out"
            )
        return cls(_RUNS / name, name)

    @classmethod
    def after(cls, path: Path) -> RunDirectory:
        """`runs/NAME`, named after a file or folder as far as a name can hold its own."""
        return cls.named(_OTHERS.sub("-", path.resolve().name).lstrip("._-") or "search")

    @property
    def storage(self) -> str:
        """The URL of the study in the folder."""
        return f"sqlite:///{self.path / 'study.db'}"

    @property
    def log(self) -> Path:
        """What failed, with tracebacks."""
        return self.path / "search.log"

    @property
    def material(self) -> Path:
        """Clips, latents and features that designs are trained on."""
        return self.path / "material.safetensors"

    def trial(self, number: int) -> Path:
        """The folder of a trained trial."""
        return self.path / "trials" / f"{number:04d}"

    def confirmation(self, number: int, steps: int, seed: int) -> Path:
        """The folder of a training of so many steps that confirms a trial's design."""
        return self.path / "confirmed" / f"{number:04d}-{steps}-{seed}"

    def check(self) -> None:
        """Sees that the folder could be made, or that what is there can be written to.

        Raises:
            UserError: it could not.
        """
        nearest = next(path for path in (self.path, *self.path.absolute().parents) if _exists(path))
        if not nearest.is_dir():
            raise UserError(f"run directory '{self.path}' can't be made: {nearest} is no folder")
        for path in (nearest, self.path / "trials", self.path / "study.db"):
            if _exists(path) and not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
                raise UserError(f"run directory '{self.path}': {path} can't be written to")

    def create(self) -> None:
        """Makes the folder, or sees that what is there can be written to.

        Raises:
            UserError: it can't be made, or not be written to.
        """
        self.check()
        try:
            (self.path / "trials").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"run directory '{self.path}' can't be made: {error.strerror}") from None

    def write_trial(self, number: int, files: Mapping[str, bytes]) -> None:
        """Writes a trial's folder, which appears whole or not at all.

        Raises:
            OSError: it can't be written, as on a full disk; nothing of it is left.
        """
        _write_folder(self.trial(number), files)

    def write_confirmation(self, number: int, steps: int, seed: int, files: Mapping[str, bytes]) -> None:
        """Writes the folder of a training that confirms a trial's design, as `write_trial` does."""
        final = self.confirmation(number, steps, seed)
        final.parent.mkdir(exist_ok=True)
        _write_folder(final, files)

    def remove_trial(self, number: int) -> None:
        """Removes a trial's folder, where there is one."""
        shutil.rmtree(self.trial(number), ignore_errors=True)

    def write_text(self, name: str, text: str) -> None:
        """Writes a file of the run, whose folder several processes may share."""
        with written_aside(self.path / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _exists(path: Path) -> bool:
    """Whether there is something; not where it lies in a folder that this user can't search."""
    return os.path.exists(path)  # noqa: PTH110  # `Path.exists` raises PermissionError there


def _write_folder(final: Path, files: Mapping[str, bytes]) -> None:
    temporary = final.with_name(f".{final.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        for name, contents in files.items():
            (temporary / name).write_bytes(contents)
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
