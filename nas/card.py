"""The model card of an exported design: what it is, what it costs, where it stands, how it was trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.teachers import WeightsInUse
from search_space import DecoderConfig
from search_space.counting import plural

_TRAINING = "## Training"


def model_card(
    design: Mapping[Any, Any],
    study: Mapping[str, Any],
    config: DecoderConfig,
    trained: bool,
    steps: int,
    place: str | None,
) -> str:
    """Markdown with the metadata that the Hugging Face hub reads.

    Args:
        design: the trial's row of `analysis.load_study`.
        study: the study's own record.
        config: the design.
        trained: whether the weights are trained ones.
        steps: that the weights, or a proxy's in their place, were trained for.
        place: one sentence, where the design stands among the study's; None leaves it out.
    """
    time, height, width = config.compression
    rows = study["resolution"]
    clip = f"{plural(study['frames'], 'frame')} of {rows[0]}x{rows[1]}"
    source = "Core ML conversion" if design["source"] == "coreml" else "a trace of operators"
    title = design["name"] or f"Decoder {config.hash}"
    missing = config.why_not_published
    loads = (
        "the published `AutoencoderKLTurboVAED` code builds it, and loads the weights into its `decoder`"
        if not missing
        else f"with keys of our own, since the published code lacks: {', '.join(missing)}"
    )
    weights = study["weights"]
    return f"""---
library_name: nas-video-decoders
tags: [video, autoencoder, decoder, distillation]
---

# {title}

Decodes latents `[B, {config.latent_channels}, T, H, W]` to video `[B, 3, T', {height}H, {width}W]`
(temporal compression {time}), in place of the decoder of {study["teacher"]}.

## Costs

| estimated for {study["device"]}, {clip} | |
|---|---|
| parameters | {design["params"]:,.0f} |
| FLOPs (2 per multiply-add) | {design["flops"] / 1e12:.3f} T |
| latency | {design["latency_ms"]:,.0f} ms ({design["fps"]:.1f} frames/s) |
| peak memory | {design["peak_memory_bytes"] / 1e6:,.0f} MB |

Latency and memory are estimates from {source}, not measurements.{f" {place}" if place else ""}

{_TRAINING}

{_of_the_search(design, study, trained, steps)}

Teacher's weights: {weights["description"]} (SHA-256 {weights["digest"][:16]}).

## Use

    from nas.hub import VideoDecoder

    decoder = VideoDecoder.from_pretrained("FOLDER")
    video = decoder.decode(latents).sample  # raw latents, as the autoencoder's own decode takes them

`config.json` is in the published format ({loads}); `model.safetensors` holds the decoder's
parameters; `training.yaml` is how `nas train` trains it to the end.
"""


def _of_the_search(design: Mapping[Any, Any], study: Mapping[str, Any], trained: bool, steps: int) -> str:
    """What a search leaves: weights that rank designs, or none."""
    if trained:
        state = (
            f"Trained for {plural(steps, 'step')} only, to compare designs with each"
            " other; train it fully before using it."
        )
        measured = "These weights"
    else:
        state = (
            "**The weights are untrained** (freshly initialised): the search trained a narrowed proxy of this"
            " design in its place. Train it before using it."
        )
        measured = "Its narrowed proxy"
    clips = study["settings"]["clips"]
    return f"""{state}
{measured} reached a PSNR of {design["psnr"]:.2f} dB and an SSIM of {design["ssim"]:.4f} on
{clips["validation"]} held-out clips of {clips["size"]}x{clips["size"]}; the teacher itself reached
{study["teacher_psnr"]:.2f} dB."""


def describe_training(
    card: Path,
    *,
    steps: int,
    seen: str,
    held_out: str,
    before: Mapping[str, float],
    after: Mapping[str, float],
    teacher: Mapping[str, float],
    weights: WeightsInUse,
) -> str | None:
    """A card's text with another section on training; None where there is no such card or section.

    Args:
        card: the file.
        steps: of the optimiser.
        seen: the clips trained on, in words.
        held_out: the clips measured on, in words.
        before: "psnr" in dB and "ssim" of the weights that the training began with.
        after: of those that it ended with.
        teacher: of the teacher itself.
        weights: the teacher's.
    """
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    section = re.compile(rf"(?ms)^{_TRAINING}\n.*?(?=^## |\Z)")
    if not section.search(text):
        return None
    now = f"""{_TRAINING}

Trained by `nas train` for {plural(steps, "step")}, {seen} in all, as `training/settings.yaml` says; the
weights are the average over the last steps.

| on {held_out} | PSNR, dB | SSIM |
|---|---|---|
| before this training | {before["psnr"]:.2f} | {before["ssim"]:.4f} |
| these weights | {after["psnr"]:.2f} | {after["ssim"]:.4f} |
| the teacher itself | {teacher["psnr"]:.2f} | {teacher["ssim"]:.4f} |

Teacher's weights: {weights.description} (SHA-256 {weights.digest[:16]}).

"""
    return section.sub(lambda _: now, text)
