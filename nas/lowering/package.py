"""Core ML packages of designs, as an app would load them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from nas.lowering import Lowering
from nas.lowering.conversion import convert, quiet
from nas.lowering.decoder import LoweredDecoder, lower
from nas.lowering.rescaling import fault_in_fp16, fit_to_fp16, trial_latents
from nas.lowering.streaming import stream_lowered, why_not_streamable
from search_space.decoder import Decoder
from search_space.errors import UserError

BITS = (16, 8, 4)
SMALLEST_PALETTISED = 10_000  # weights; smaller tensors stay fp16, which is next to nothing of the size

_logger = logging.getLogger(__name__)


def save_package(
    decoder: Decoder, lowering: Lowering, latent_shape: Sequence[int], path: Path, bits: int = 16
) -> None:
    """Writes the program that decodes a clip: `latent` [1, C, T, H, W] -> `video` [1, 3, T', H', W'], fp16.

    Args:
        decoder: on the CPU, with its weights.
        lowering: its form.
        latent_shape: [1, C, T, H, W]; a package decodes latents of this shape only.
        path: ends in `.mlpackage`; appears whole or not at all, in place of a package that is there.
        bits: of a weight: 16, or 8 or 4, where each large tensor takes 2**bits values, found by k-means.

    Raises:
        UserError: for an unknown lowering or number of bits, a path of another ending.
        ConversionError: where coremltools can't convert the decoder.
        OSError: where it can't be written.
    """
    program = _for_fp16(decoder, lowering)
    _save(program, {"latent": latent_shape}, ["video"], {"lowering": lowering}, decoder, path, bits)


def save_streaming_packages(
    decoder: Decoder, latent_shape: Sequence[int], first: Path, later: Path, bits: int = 16
) -> None:
    """Writes the two programs that decode latent by latent (`nas.lowering.streaming`).

    `first` maps `latent` [1, C, H, W] to `frames` [T', 3, H', W'] and `state_0_out`, `state_1_out`, ...;
    `later` takes each of those as `state_0_in`, ... beside its latent, and gives the next.

    Args:
        decoder, bits: as of `save_package`.
        latent_shape: [1, C, H, W].
        first, later: paths as of `save_package`.

    Raises:
        UserError, ConversionError, OSError: as `save_package`, and for a design that can't be streamed.
    """
    if reason := why_not_streamable(decoder.config):
        raise UserError(f"design {decoder.config.hash} can't be streamed: {reason}")
    lowered = _for_fp16(decoder, "shifted_2d")
    for path, is_first in ((first, True), (later, False)):
        program = stream_lowered(lowered, is_first)
        states = program.state_shapes(latent_shape)
        given = {} if is_first else {f"state_{i}_in": shape for i, shape in enumerate(states)}
        results = ["frames", *(f"state_{i}_out" for i in range(len(states)))]
        described = {"streams": "first latent" if is_first else "later latents"}
        _save(program, {"latent": latent_shape} | given, results, described, decoder, path, bits)


def _for_fp16(decoder: Decoder, lowering: Lowering) -> LoweredDecoder:
    """The lowered decoder, rescaled where its streams could overflow; where that isn't enough, it is said."""
    latents = trial_latents(decoder.config)
    lowered = fit_to_fp16(lower(decoder.eval(), lowering), latents)
    if fault := fault_in_fp16(lowered, latents):
        _logger.warning("design %s is not fit for fp16: on trial latents %s", decoder.config.hash, fault)
    return lowered


def palettised(model: Any, bits: int) -> Any:
    """An `MLModel` whose large tensors of weights are indices into 2**bits values of their own."""
    if bits == 16:
        return model
    with quiet():
        from coremltools.optimize import coreml as optimize

        each = optimize.OpPalettizerConfig(mode="kmeans", nbits=bits, weight_threshold=SMALLEST_PALETTISED)
        return optimize.palettize_weights(model, optimize.OptimizationConfig(global_config=each))


def _save(
    program: nn.Module,
    inputs: Mapping[str, Sequence[int]],
    outputs: Sequence[str],
    described: Mapping[str, str],
    decoder: Decoder,
    path: Path,
    bits: int,
) -> None:
    if bits not in BITS:
        raise UserError(f"{bits} bits a weight: it must be one of {', '.join(map(str, BITS))}")
    if path.suffix != ".mlpackage":
        raise UserError(f"'{path}': give a path that ends in .mlpackage")
    model = palettised(convert(program, inputs, outputs), bits)
    model.short_description = f"Video decoder {decoder.config.hash}"
    model.user_defined_metadata.update({"design": decoder.config.hash, "bits": str(bits), **described})
    temporary = path.with_name(f".{path.stem}.part.mlpackage")
    try:
        with quiet():
            model.save(str(temporary))
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
