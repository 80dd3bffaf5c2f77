"""Timing Core ML packages on this Mac, or on a phone or tablet that is connected to it.

`run_on_apple` is all that needs a Mac with Xcode. It has not been exercised: this project had none. What it
returns is plain data, which `apple_measurement` reads.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from nas.calibration.measurements import SEVERAL, Measurement
from nas.lowering import Lowering
from search_space.errors import UserError

AppleDevice = Literal["mac", "iphone", "ipad"]
APPLE_DEVICES: tuple[AppleDevice, ...] = ("mac", "iphone", "ipad")
UNITS = {
    "MLNeuralEngineComputeDevice": "neural_engine",
    "MLGPUComputeDevice": "gpu",
    "MLCPUComputeDevice": "cpu",
}
SAMPLES = 10
SUSTAINED_S = 60.0  # in which a phone gets warm
WHOLE = 0.95  # share of the time from which a unit is said to have run all of it


@dataclass(frozen=True)
class AppleAnswer:
    """What a device said of one package.

    Attributes:
        samples_ms: time of each of the first predictions after a warm-up, ms.
        sustained_ms: mean time of a prediction over the last third of `SUSTAINED_S` seconds of them, ms.
        operations: name, compute unit and time (ms, the device's own estimate) of each operation.
    """

    samples_ms: tuple[float, ...]
    sustained_ms: float
    operations: tuple[tuple[str, str, float], ...]


def run_on_apple(package: Path, device: AppleDevice, team: str) -> AppleAnswer:
    """Runs a package through coremltools' benchmarker, on all compute units.

    Args:
        package: an `.mlpackage`.
        device: "mac" for this one, else the first that is connected.
        team: identifier of the Apple developer team that signs the runner app; for "mac" of no use.

    Raises:
        UserError: where this is no Mac, or no such device is connected.
    """
    return asyncio.run(_run(package, device, team))


async def _run(package: Path, device: AppleDevice, team: str) -> AppleAnswer:
    import platform

    if platform.system() != "Darwin":
        raise UserError(f"device {device}: Core ML runs on a Mac only; elsewhere use nas probe")
    import coremltools as ct
    from coremltools.models.ml_program.experimental import perf_utils, remote_device

    remote: Any = None
    if device != "mac":
        connected = remote_device.Device.get_connected_devices(remote_device.DeviceType(device))
        if not connected:
            raise UserError(f"no {device} is connected, unlocked and in developer mode")
        credentials = remote_device.AppSigningCredentials(development_team=team)
        remote = await connected[0].prepare_for_model_debugging(credentials)
    benchmarker = perf_utils.MLModelBenchmarker(ct.models.MLModel(str(package)), remote)
    first = await benchmarker.benchmark_predict(iterations=SAMPLES, warmup=True)
    operations = [
        (
            info.spec.type,
            UNITS[type(info.compute_device_usage.preferred_compute_device).__name__],
            info.measurement.statistics.median,
        )
        for info in await benchmarker.benchmark_operation_execution(iterations=1)
        if info.compute_device_usage is not None and info.measurement.statistics is not None
    ]
    late = []
    start = time.monotonic()
    while (passed := time.monotonic() - start) < SUSTAINED_S:
        batch = await benchmarker.benchmark_predict(iterations=SAMPLES)
        if passed > SUSTAINED_S * 2 / 3:
            late += batch.samples
    sustained = sum(late) / len(late) if late else median(first.samples)
    return AppleAnswer(tuple(first.samples), sustained, tuple(operations))


def apple_measurement(
    answer: AppleAnswer,
    subject: str,
    config_hash: str,
    resolution: tuple[int, int],
    frames: int,
    device: str,
    lowering: Lowering,
) -> Measurement:
    """The row of a table that an answer gives: the median of the first predictions.

    `unit` is the one that took nearly all of the time, `SEVERAL` where none did; empty where the device
    said of no operation.
    """
    samples = sorted(answer.samples_ms)
    middle = median(samples)
    low, high = (samples[round(share * (len(samples) - 1))] for share in (0.16, 0.84))
    times: dict[str, float] = {}
    for _, unit, milliseconds in answer.operations:
        times[unit] = times.get(unit, 0.0) + milliseconds
    whole = [unit for unit, part in times.items() if part >= WHOLE * sum(times.values())]
    return Measurement(
        subject=subject,
        config_hash=config_hash,
        resolution=resolution,
        frames=frames,
        device=device,
        unit=whole[0] if whole else SEVERAL if times else "",
        lowering=lowering,
        latency_ms=middle,
        spread=(high - low) / 2 / middle,
        samples=len(samples),
    )
