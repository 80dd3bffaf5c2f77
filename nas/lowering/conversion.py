"""Core ML conversion, the one way in: iOS 18, fp16, on any platform (running the result needs a Mac)."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import nn

from search_space.errors import first_line

DEPLOYMENT_TARGET = "iOS18"

# What a slice that keeps everything becomes, as of the first frame of one; coremltools does not know it.
_DECOMPOSITIONS = {torch.ops.aten.alias.default: lambda tensor: tensor}


class ConversionError(RuntimeError):
    """coremltools could not convert a module; the message says which operation stopped it."""


def versions() -> dict[str, str]:
    """Versions that decide what a conversion gives."""
    return {"coremltools": version("coremltools"), "torch": version("torch"), "target": DEPLOYMENT_TARGET}


def convert(module: nn.Module, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str]) -> Any:
    """The `coremltools.models.MLModel` of `module`, an optimised ML Program in fp16.

    Args:
        module: on the CPU, in evaluation mode.
        inputs: name and shape of each argument of its `forward`, in order.
        outputs: name of each result.

    Raises:
        ConversionError: where torch.export or coremltools can't take an operation.
    """
    with quiet():
        import coremltools as ct

        try:
            examples = tuple(torch.zeros(tuple(shape)) for shape in inputs.values())
            with torch.no_grad():
                exported = torch.export.export(module, examples).run_decompositions(_DECOMPOSITIONS)
            return ct.convert(
                exported,
                inputs=[
                    ct.TensorType(name=name, shape=tuple(shape), dtype=np.float16)
                    for name, shape in inputs.items()
                ],
                outputs=[ct.TensorType(name=name, dtype=np.float16) for name in outputs],
                convert_to="mlprogram",
                minimum_deployment_target=ct.target[DEPLOYMENT_TARGET],
                compute_precision=ct.precision.FLOAT16,
                skip_model_load=True,
            )
        except Exception as error:  # coremltools and torch.export raise many kinds, with no common base
            raise ConversionError(
                f"{type(module).__name__} does not convert to Core ML: {first_line(error)}"
            ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps progress bars and version warnings of torch.export and coremltools off our output."""
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
