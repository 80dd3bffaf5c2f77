"""A design of a study as files of its own: `config.json`, `model.safetensors` and a card that describes them.

The configuration is in the published format and the weights have the published names, so the published code
loads both where the design uses only its operators. Where a narrowed proxy was trained, no weights of the
full design exist; then freshly initialised ones are written, and the card says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from nas.run_directory import RunDirectory
from search_space import DecoderConfig, build_decoder
from search_space.decoder import Decoder
from search_space.errors import UserError, first_line

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


def export(run: RunDirectory, design: Mapping[Any, Any], study: Mapping[str, Any], to: Path) -> bool:
    """Writes a trained trial's design to a new folder.

    Args:
        run: the run's folder.
        design: the trial's row of `analysis.load_study`.
        study: the study's own record.
        to: the folder.

    Returns:
        Whether the weights are trained ones.

    Raises:
        UserError: the folder holds something already or can't be made, or the trial's files are gone.
    """
    source = run.trial(int(design["number"]))
    if not (source / "weights.safetensors").is_file():
        raise UserError(f"trial {design['number']}: its files are not in {source}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UserError(f"'{to}' exists and is not an empty folder: give another with --to")
    config = DecoderConfig.load(source / "config.json")
    trained = study["settings"]["proxy"] is None
    if trained:
        weights = load_file(source / "weights.safetensors")
    else:
        torch.manual_seed(study["seed"])
        weights = build_decoder(config).state_dict()
    final = to.resolve()  # "." has no name of its own
    temporary = final.with_name(f".{final.name}.part")
    try:
        temporary.mkdir(parents=True, exist_ok=True)
        config.save(temporary / CONFIG)
        # Not by save_file, whose files only their owner may read.
        (temporary / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))
        (temporary / CARD).write_text(_card(design, study, config, trained), encoding="utf-8")
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
    try:
        decoder.load_state_dict(load_file(path / WEIGHTS), strict=True)
    except Exception as error:  # safetensors and torch each raise their own
        raise UserError(f"{path / WEIGHTS} is not of {path / CONFIG}: {first_line(error)}") from None
    return decoder


def _card(design: Mapping[Any, Any], study: Mapping[str, Any], config: DecoderConfig, trained: bool) -> str:
    """A model card."""
    time, height, width = config.compression
    rows = study["resolution"]
    clip = f"{study['frames']} frames of {rows[0]}x{rows[1]}"
    source = "Core ML conversion" if design["source"] == "coreml" else "a trace of operators"
    title = design["name"] or f"Decoder {config.hash}"
    if trained:
        state = (
            f"Trained for {study['settings']['training']['steps']} steps only, to compare designs with each"
            " other; train it fully before using it."
        )
        measured = "These weights"
    else:
        state = (
            "**The weights are untrained** (freshly initialised): the search trained a narrowed proxy of this"
            " design in its place. Train it before using it."
        )
        measured = "Its narrowed proxy"
    missing = config.why_not_published
    loads = (
        "the published `AutoencoderKLTurboVAED` code builds it, and loads the weights into its `decoder`"
        if not missing
        else f"with keys of our own, since the published code lacks: {', '.join(missing)}"
    )
    weights, clips = study["weights"], study["settings"]["clips"]
    return f"""# {title}

Decodes latents `[B, {config.latent_channels}, T, H, W]` to video `[B, 3, T', {height}H, {width}W]`
(temporal compression {time}), in place of the decoder of {study["teacher"]}.

{state}

| estimated for {study["device"]}, {clip} | |
|---|---|
| parameters | {design["params"]:,.0f} |
| FLOPs (2 per multiply-add) | {design["flops"] / 1e12:.3f} T |
| latency | {design["latency_ms"]:,.0f} ms ({design["fps"]:.1f} frames/s) |
| peak memory | {design["peak_memory_bytes"] / 1e6:,.0f} MB |

Latency and memory are estimates from {source}, not measurements. {measured} reached a PSNR of
{design["psnr"]:.2f} dB and an SSIM of {design["ssim"]:.4f} on {clips["validation"]} held-out clips of
{clips["size"]}x{clips["size"]}; the teacher itself reached {study["teacher_psnr"]:.2f} dB.

Teacher's weights: {weights["description"]} (SHA-256 {weights["digest"][:16]}).

Files: `{CONFIG}` is in the published format ({loads}); `{WEIGHTS}` holds the
decoder's parameters. `nas.export.load_exported` loads both.
"""
