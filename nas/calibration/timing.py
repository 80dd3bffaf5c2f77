"""How long a module takes on this machine: the processor that runs Python, or its CUDA device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import torch
from torch import nn

from search_space.counting import plural
from search_space.errors import UserError

Runtime = Literal["host", "cuda"]
RUNTIMES: tuple[Runtime, ...] = ("host", "cuda")
PRECISION = {"host": torch.float32, "cuda": torch.float16}

SECONDS = 0.15  # spent on the samples of one module, where that gives more than `FEWEST`
FEWEST, MOST = 5, 30
SHORTEST_SAMPLE_S = 2e-3  # calls shorter than this are timed several at a time


@dataclass(frozen=True)
class Timing:
    """Time of one call of a module.

    Attributes:
        latency_ms: the median of the samples, ms.
        spread: half of what lies between the 16th and the 84th percentile, as a share of the median.
        samples: how many there are; each is the mean of one or several calls.
    """

    latency_ms: float
    spread: float
    samples: int


def torch_device(runtime: Runtime) -> torch.device:
    """The device in PyTorch's terms.

    Raises:
        UserError: "cuda" where there is no such device.
    """
    if runtime == "cuda" and not torch.cuda.is_available():
        raise UserError("device cuda: PyTorch finds no CUDA device here; host is the processor")
    return torch.device("cuda" if runtime == "cuda" else "cpu")


def describe(runtime: Runtime) -> str:
    """What is measured, in words: the processor with its threads or the GPU, the precision, PyTorch.

    Raises:
        UserError: as `torch_device`.
    """
    precision = str(PRECISION[runtime]).removeprefix("torch.")
    what = f"CPU, {plural(torch.get_num_threads(), 'thread')}"
    if runtime == "cuda":
        what = torch.cuda.get_device_name(torch_device(runtime))
    return f"{what}, {precision}, eager PyTorch {torch.__version__}"


def time_module(module: nn.Module, input_shape: Sequence[int], runtime: Runtime) -> Timing:
    """Times `module` on noise of `input_shape`, [B, C, T, H, W], eagerly and in the precision of `runtime`.

    The module is moved there and stays. cuDNN chooses by its heuristics (`cudnn.benchmark` off), as it does
    for a user's first clip. Two calls warm up; on CUDA a sample ends when the device has finished.

    Raises:
        UserError: "cuda" where there is no such device.
        torch.OutOfMemoryError: where the module doesn't fit in the device's memory.
    """
    device, precision = torch_device(runtime), PRECISION[runtime]
    module = module.to(device=device, dtype=precision).eval()
    block_input = torch.randn(tuple(input_shape), device=device, dtype=precision)

    def seconds(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            module(block_input)
        if runtime == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=False):
        seconds(1)
        return _sampled(seconds)


def _sampled(seconds: Callable[[int], float]) -> Timing:
    once = seconds(1)
    calls = max(1, round(SHORTEST_SAMPLE_S / once))
    wanted = min(MOST, max(FEWEST, int(SECONDS / (once * calls))))
    samples = sorted(seconds(calls) / calls * 1e3 for _ in range(wanted))
    middle = median(samples)
    low, high = (samples[round(share * (wanted - 1))] for share in (0.16, 0.84))
    return Timing(middle, (high - low) / 2 / middle, wanted)
