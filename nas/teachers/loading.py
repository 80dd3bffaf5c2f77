"""From a teacher's name or directory to a `Teacher`."""

import json
import re
from pathlib import Path

import torch

from search_space.errors import UserError, first_line

from .dc_ae.teacher import VideoDCAETeacher, is_video_dc_ae, load_video_dc_ae
from .hunyuan import HunyuanVideoTeacher
from .ltx import LTXVideoTeacher
from .registry import teachers
from .teacher import Autoencoder, Teacher
from .wan import WanTeacher
from .weights import WeightsInUse, find_directory, find_weights, published_alone, safetensors

OWN_WAYS: dict[str, type[Teacher]] = {
    "AutoencoderKLWan": WanTeacher,
    "AutoencoderKLHunyuanVideo": HunyuanVideoTeacher,
    "AutoencoderKLLTXVideo": LTXVideoTeacher,
    "VideoDCAE": VideoDCAETeacher,
}


def load_teacher(
    name: str | Path, weights: str | Path = "auto", device: str = "cpu", own_footage: bool = False
) -> Teacher:
    """Load a teacher.

    Args:
        name: one of `teachers()`, or a directory with the `config.json` and safetensors of any of diffusers'
            `AutoencoderKL*` classes for video (or a pipeline's directory with such a folder `vae`), or of
            Video DC-AE.
        weights: of a known teacher: "auto", "hub", "stand-in" or a directory (see `find_weights`).
        device: PyTorch's name of the device to run it on.
        own_footage: the caller brings videos of their own: "auto" then never takes the stand-in.

    Raises:
        UserError: no such teacher, no weights to be had, or a directory that is no autoencoder for video.
    """
    known = teachers().get(str(name))
    if known is not None:
        folder, in_use = find_weights(known, weights, own_footage)
    elif not Path(name).is_dir():
        raise UserError(
            f"unknown teacher '{name}': give one of {', '.join(teachers())}, or an autoencoder's directory"
        )
    elif weights != "auto":
        raise UserError(f"--weights {weights}: the teacher '{name}' is a directory with weights of its own")
    else:
        folder, in_use = find_directory(Path(name))
    class_name = _class_name(folder)
    if known is not None and class_name != known.class_name:
        raise UserError(f"{folder}: is of class {class_name}, but {known.name} is an {known.class_name}")
    vae = _load(folder, class_name, in_use).to(device)
    return OWN_WAYS.get(class_name, Teacher)(str(name), vae, in_use)


def _class_name(folder: Path) -> str:
    """The class that a directory's `config.json` names, or that of a file which is published without one."""
    if (alone := published_alone(folder)) is not None:
        return alone.class_name
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable as JSON ({error})") from error
    if is_video_dc_ae(config):
        return "VideoDCAE"
    class_name = config.get("_class_name") if isinstance(config, dict) else None
    if not (isinstance(class_name, str) and re.fullmatch(r"AutoencoderKL\w*", class_name)):
        raise UserError(f"{path}: _class_name is {class_name!r}, not one of diffusers' AutoencoderKL classes")
    return class_name


def _load(folder: Path, class_name: str, in_use: WeightsInUse) -> Autoencoder:
    if class_name == "VideoDCAE":
        return load_video_dc_ae(
            safetensors(folder), None if published_alone(folder) else folder / "config.json"
        )
    import diffusers  # late: with the class it takes seconds to import

    autoencoder = getattr(diffusers, class_name, None)
    if autoencoder is None:
        raise UserError(f"{folder}: diffusers {diffusers.__version__} has no class {class_name}")
    try:
        vae, report = autoencoder.from_pretrained(
            folder,
            torch_dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,  # the other way needs accelerate
            output_loading_info=True,
        )
    except Exception as error:  # damaged files, other shapes, wrong keys: diffusers raises a type for each
        raise UserError(f"{in_use.source}: not loadable as {class_name} ({first_line(error)})") from error
    if missing := report["missing_keys"]:  # diffusers would leave them random, with a warning
        raise UserError(f"{in_use.source}: lacks {len(missing)} weights, {sorted(missing)[0]} among them")
    return vae
