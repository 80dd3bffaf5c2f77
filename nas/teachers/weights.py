"""Where a teacher's weights come from: the Hugging Face hub, a directory, or the stand-in in this package."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from search_space.errors import UserError, first_line

from .registry import KnownTeacher, teachers

STAND_IN = Path(__file__).with_name("stand_in")
STAND_IN_FOR = "wan"
HUB_TIMEOUT = 5  # seconds to wait for the hub's answer: without a network the search must go on or end soon


@dataclass(frozen=True)
class WeightsInUse:
    """Which weights a teacher has.

    Attributes:
        kind: where they were found.
        source: the hub's repository and folder, or the directory.
        digest: SHA-256 over the safetensors files, in the order of their names.
        description: one plain sentence for people.
    """

    kind: Literal["hub", "path", "stand-in"]
    source: str
    digest: str
    description: str


class _NotHadError(Exception):
    """Weights that can't be had from one place; the message says where it looked and what came of it."""


def find_weights(
    teacher: KnownTeacher, weights: str | Path = "auto", own_footage: bool = False
) -> tuple[Path, WeightsInUse]:
    """The directory of a known teacher's autoencoder, and what it is.

    Args:
        teacher: which one.
        weights: "hub", "stand-in" (for wan only), a directory, or "auto": the hub's cache, else the hub,
            else, for wan and only without `own_footage`, the stand-in.
        own_footage: the caller brings videos of their own, and so wants the real teacher.

    Raises:
        UserError: there are none; says where it looked and what to do.
    """
    if weights == "stand-in":
        if teacher.name != STAND_IN_FOR:
            raise UserError(f"--weights stand-in: there is one for {STAND_IN_FOR}, not for {teacher.name}")
        return _stand_in()
    if weights not in ("auto", "hub"):
        if not Path(weights).is_dir():
            raise UserError(
                f"--weights {weights}: no such directory; give auto, hub, stand-in or a directory"
            )
        return find_directory(Path(weights))
    try:
        folder = cached_folder(teacher) or _downloaded_folder(teacher)
    except _NotHadError as error:
        if weights == "auto" and teacher.name == STAND_IN_FOR and not own_footage:
            return _stand_in()
        advice = "download them where there is a network and give their directory with --weights PATH"
        if teacher.name == STAND_IN_FOR:
            advice += ", or take the small stand-in for Wan 2.1 with --weights stand-in"
        raise UserError(f"no weights for {teacher.name}: {error}; {advice}") from error
    source = f"{teacher.repo}/{teacher.folder or teacher.file}"
    return folder, _in_use("hub", source, folder, f"{teacher.version}: its own weights, from {teacher.repo}")


def find_directory(path: Path) -> tuple[Path, WeightsInUse]:
    """The autoencoder in a directory: the directory itself, or its folder `vae` where it holds a pipeline.

    Raises:
        UserError: there is no such directory, or it holds no autoencoder in safetensors.
    """
    if not path.is_dir():
        raise UserError(f"{path}: no such directory; it should hold config.json and safetensors")
    is_whole = (path / "config.json").is_file() or published_alone(path) is not None
    folder = path if is_whole else path / "vae"
    if not is_whole and not (folder / "config.json").is_file():
        raise UserError(f"{path}: has no config.json, neither itself nor in vae/, so it is no autoencoder")
    if not safetensors(folder):
        raise UserError(f"{folder}: has no .safetensors weights (pickled ones are not read)")
    return folder, _in_use("path", str(folder), folder, f"weights from {folder}")


def cached_folder(teacher: KnownTeacher) -> Path | None:
    """The teacher's autoencoder in the hub's local cache, or None; never asks the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot = snapshot_download(teacher.repo, local_files_only=True)
    except LocalEntryNotFoundError:
        return None
    folder = Path(snapshot) / teacher.folder
    needed = folder / (teacher.file or "config.json")
    return folder if needed.is_file() and safetensors(folder) else None


def stand_in_folder() -> Path | None:
    """The stand-in for Wan 2.1 in this package, or None in a checkout that has none yet."""
    return STAND_IN if (STAND_IN / "config.json").is_file() and safetensors(STAND_IN) else None


def _downloaded_folder(teacher: KnownTeacher) -> Path:
    from huggingface_hub import constants, model_info, snapshot_download

    wanted = [f"{teacher.folder}/{name}" for name in ("config.json", "diffusion_pytorch_model*.safetensors*")]
    if teacher.file is not None:
        wanted = [teacher.file]
    try:
        model_info(teacher.repo, timeout=HUB_TIMEOUT)  # snapshot_download would wait for ever
        snapshot = snapshot_download(teacher.repo, allow_patterns=wanted, ignore_patterns="*.fp16.*")
    except Exception as error:  # no network, no such repository, no access, a full disk: all mean "not had"
        raise _NotHadError(
            f"not in the cache {constants.HF_HUB_CACHE}, "
            f"and not from {constants.ENDPOINT}/{teacher.repo} ({first_line(error)})"
        ) from error
    return Path(snapshot) / teacher.folder


def _stand_in() -> tuple[Path, WeightsInUse]:
    folder = stand_in_folder()
    if folder is None:
        raise UserError(f"no stand-in for wan in this package ({STAND_IN}); give --weights PATH")
    description = (
        "a small stand-in for Wan 2.1 shipped with this package, not Wan's own weights: "
        "quality figures compare designs with each other only"
    )
    return folder, _in_use("stand-in", "nas/teachers/stand_in", folder, description)


def _in_use(kind: Literal["hub", "path", "stand-in"], source: str, folder: Path, text: str) -> WeightsInUse:
    return WeightsInUse(kind, source, _digest(safetensors(folder)), text)


def published_alone(folder: Path) -> KnownTeacher | None:
    """The known teacher whose weights lie in a directory as they were published: a file, no configuration."""
    return next(
        (known for known in teachers().values() if known.file and (folder / known.file).is_file()), None
    )


def safetensors(folder: Path) -> list[Path]:
    """The files of an autoencoder's weights; what else lies beside a file that is published alone is not."""
    alone = published_alone(folder)
    return sorted(folder.glob("*.safetensors")) if alone is None else [folder / str(alone.file)]


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                total.update(block)
    return total.hexdigest()
