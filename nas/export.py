"""A design of a study as files of its own: `config.json`, `model.safetensors`, `training.yaml` and a card.

The configuration is in the published format and the weights have the published names, so the published code
loads both where the design uses only its operators. Where a narrowed proxy was trained, no weights of the
full design exist; then freshly initialised ones are written, and the card says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from nas.card import model_card
from nas.initialisation import initialise
from nas.run_directory import RunDirectory
from nas.teachers import teachers
from nas.training.files import SETTINGS
from nas.training.settings import FullTrainingSettings, TeacherSettings, load_training
from nas.weights_file import first_difference, load_weights
from search_space import DecoderConfig, build_decoder
from search_space.decoder import Decoder
from search_space.errors import UserError

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


def export(
    run: RunDirectory,
    design: Mapping[Any, Any],
    study: Mapping[str, Any],
    to: Path,
    place: str | None = None,
) -> bool:
    """Writes a trained trial's design to a new folder, with the weights of its best and longest training.

    Args:
        run: the run's folder.
        design: the trial's row of `analysis.load_study`.
        study: the study's own record.
        to: the folder.
        place: one sentence for the card, where the design stands among the study's.

    Returns:
        Whether the weights are trained ones.

    Raises:
        UserError: the folder holds something already or can't be made, or the trial's files are gone.
    """
    source, metrics, steps = _training_taken(run, design, study)
    if not (source / "weights.safetensors").is_file():
        raise UserError(f"trial {design['number']}: its files are not in {source}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UserError(f"'{to}' exists and is not an empty folder: give another with --to")
    config = DecoderConfig.load(source / "config.json")
    trained = study["settings"]["proxy"] is None
    if trained:
        weights = load_weights(source / "weights.safetensors")
    else:
        torch.manual_seed(study["seed"])
        weights = initialise(build_decoder(config)).state_dict()
    final = to.resolve()  # "." has no name of its own
    temporary = final.with_name(f".{final.name}.part")
    try:
        temporary.mkdir(parents=True, exist_ok=True)
        config.save(temporary / CONFIG)
        # Not by save_file, whose files only their owner may read.
        (temporary / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))
        card = model_card({**design, **metrics}, study, config, trained, steps, place)
        (temporary / CARD).write_text(card, encoding="utf-8")
        (temporary / SETTINGS).write_text(_training(study).to_yaml(), encoding="utf-8")
        if final.exists():  # filled, not replaced: it may be where somebody stands
            for path in sorted(temporary.iterdir()):
                path.rename(final / path.name)
        else:
            temporary.rename(final)
    except OSError as error:
        raise UserError(f"'{to}' can't be written: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return trained


def load_exported(folder: str | Path) -> Decoder:
    """Builds the decoder of an exported design and loads its weights, strictly.

    Raises:
        UserError: a file is missing, or the weights are not the configuration's.
    """
    path = Path(folder)
    config = DecoderConfig.load(path / CONFIG)
    if not (path / WEIGHTS).is_file():
        raise UserError(f"'{path}' has no {WEIGHTS}: it is no exported design")
    decoder = build_decoder(config)
    weights = load_weights(path / WEIGHTS)
    if difference := first_difference(decoder.state_dict(), weights):
        raise UserError(f"{path / WEIGHTS} is not of {path / CONFIG}: {difference}")
    decoder.load_state_dict(weights)
    return decoder


def _training_taken(
    run: RunDirectory, design: Mapping[Any, Any], study: Mapping[str, Any]
) -> tuple[Path, dict[str, float], int]:
    """The training whose weights are exported: the best that confirms the design, or else the trial's own.

    Returns:
        Its folder, its metrics where they are not the trial's, and its steps.
    """
    number = int(design["number"])
    if design.get("confirmed"):
        steps = int(design["confirmed.steps"])
        source = run.confirmation(number, steps, int(design["confirmed.best_seed"]))
        if (source / "weights.safetensors").is_file():
            try:
                metrics = json.loads((source / "metrics.json").read_text(encoding="utf-8"))["metrics"]
            except (OSError, ValueError, KeyError):
                raise UserError(
                    f"trial {number}: {source / 'metrics.json'} is damaged or gone; without the folder"
                    f" {source} the trial's own training is exported"
                ) from None
            return source, metrics, steps
    return run.trial(number), {}, study["settings"]["training"]["steps"]


def _training(study: Mapping[str, Any]) -> FullTrainingSettings:
    """The published recipe, with the teacher whose latents the search decoded."""
    name, weights = study["teacher"], study["weights"]
    if name not in teachers():  # a directory, with weights of its own
        teacher = TeacherSettings(name=str(Path(name).resolve()))
    elif weights["kind"] == "path":
        teacher = TeacherSettings(name=name, weights=str(Path(weights["source"]).resolve()))
    else:
        teacher = TeacherSettings(name=name, weights=weights["kind"])
    return load_training("published", teacher)
