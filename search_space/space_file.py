"""The file of a search space: YAML whose lists are the choices for each thing that a design has.

    teacher: wan
    latent_channels: 16
    compression: [4, 8, 8]          # video frames, rows and columns for one of the latent
    first: turbo-vaed-hunyuan       # the design to try first; null: the middle of the space
    patch_size: [1, 2]
    time_doubling: [early, late]    # which of the up blocks that upsample double time
    time_padding: [symmetric, causal]
    mid: {blocks: [0, 1, 2], conv: [dw5, spatial]}
    up0: {width: [128, 256], blocks: [0, 1, 2], conv: [dw5, spatial]}
    up1: {width: [64, 128], blocks: [1, 2], conv: [dense, spatial], upsampler: [transposed, nearest]}
    ...

`keeps_first_frames: true` is for teachers whose T latents are t*T frames (Video DC-AE) and not t*(T-1)+1.
`extends: wan` takes over every key of that preset that the file doesn't give itself.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from search_space.errors import UserError

PRESETS = Path(__file__).parent / "spaces"
STAGE_KEYS = ("mid", "up0", "up1", "up2", "up3")
REQUIRED_KEYS = (
    "teacher",
    "latent_channels",
    "compression",
    "patch_size",
    "time_doubling",
    "time_padding",
    *STAGE_KEYS,
)
OPTIONAL_KEYS = ("extends", "first", "keeps_first_frames")


@dataclass(frozen=True)
class StageChoices:
    """Choices for one stage. mid has no width of its own, and a stage that never upsamples no upsampler."""

    blocks: tuple[int, ...]
    conv: tuple[str, ...]
    width: tuple[int, ...] = ()
    upsampler: tuple[str, ...] = ()


def presets() -> list[str]:
    """Names of the spaces that come with the package, one for each known teacher."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def preset_path(name: str) -> Path:
    """The file of a preset. Raises UserError for a name that isn't there."""
    if name not in presets():
        raise UserError(f"unknown space {name!r}: it must be one of {', '.join(presets())}")
    return PRESETS / f"{name}.yaml"


def read_space_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The keys of a space file, checked for names and types, with stages as `StageChoices`.

    What the values mean together is for `SearchSpace` to check. Raises UserError.
    """
    written = _read_yaml(path)
    if unknown := [key for key in written if key not in (*REQUIRED_KEYS, *OPTIONAL_KEYS)]:
        raise UserError(
            f"unknown key {unknown[0]!r}: known are {', '.join((*REQUIRED_KEYS, *OPTIONAL_KEYS))}"
        )
    if missing := [key for key in REQUIRED_KEYS if key not in written]:
        raise UserError(f"{missing[0]} is missing")
    values = {key: written[key] for key in ("teacher", "latent_channels")}
    values |= {key: _choices(key, written[key], int) for key in ("compression", "patch_size")}
    values |= {key: _choices(key, written[key], str) for key in ("time_doubling", "time_padding")}
    values["stages"] = tuple(_stage(key, written[key]) for key in STAGE_KEYS)
    values["first_design"] = written.get("first")
    if not isinstance(values["first_design"], str | None):
        raise UserError(f"first is {written['first']!r}: it must be the name of a design, or null")
    values["keeps_first_frames"] = written.get("keeps_first_frames", False)
    return values


def _read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        written = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{error.strerror}; give a space file or one of {', '.join(presets())}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(written, dict):
        raise UserError(f"give a mapping of keys such as {', '.join(REQUIRED_KEYS[:3])}")
    if "extends" not in written:
        return written
    return _read_yaml(preset_path(written["extends"])) | written


def _stage(name: str, written: Any) -> StageChoices:
    known = {"blocks": int, "conv": str}
    if name != "mid":
        known |= {"width": int, "upsampler": str}
    if not isinstance(written, dict):
        raise UserError(f"{name} is {written!r}: it must be a mapping of {', '.join(known)} to lists")
    if unknown := [key for key in written if key not in known]:
        because = " (mid is as wide as up0)" if unknown[0] == "width" else ""
        raise UserError(f"unknown key {unknown[0]!r} in {name}: known are {', '.join(known)}{because}")
    required = [key for key in known if key != "upsampler"]
    if missing := [key for key in required if key not in written]:
        raise UserError(f"{missing[0]} is missing in {name}")
    return StageChoices(**{key: _choices(f"{key} of {name}", written[key], known[key]) for key in written})


def _choices(what: str, written: Any, kind: type) -> tuple[Any, ...]:
    if not isinstance(written, list) or not written or any(type(value) is not kind for value in written):
        raise UserError(f"{what} is {written!r}: it must be a list of {kind.__name__}")
    return tuple(written)
