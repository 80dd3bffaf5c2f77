"""What this machine has for workers: its GPUs, or else its cores."""

from __future__ import annotations

import os
from collections.abc import Sequence


def gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[:count] if visible else [str(i) for i in range(count)]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environments(workers: int, gpus: Sequence[str]) -> list[dict[str, str]]:
    """What each worker has in its environment: a GPU of its own, or one thread.

    A second thread gains nothing on decoders this narrow, and waits in vain on a shared machine.

    Args:
        workers: how many.
        gpus: as CUDA_VISIBLE_DEVICES names them; workers beyond them share.
    """
    if not gpus:
        return [{"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}] * workers
    return [{"CUDA_VISIBLE_DEVICES": gpus[i % len(gpus)]} for i in range(workers)]
