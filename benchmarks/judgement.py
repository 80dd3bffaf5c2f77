"""How well a calibrated profile predicts designs that it was not calibrated on: what two benchmarks print."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from nas.calibration.fitting import Calibration
from nas.calibration.measurements import Measurement, read_measurements
from nas.calibration.subjects import find_subject
from nas.calibration.timing import RUNTIMES
from nas.costs import DeviceProfile, load_device
from nas.costs.chains import Cost, stage_costs, sum_costs
from nas.costs.estimation import EXTRAPOLATED

FOLDER = Path(__file__).parent / "measurements"
UNSEEN = "designs/wan-"

Calibrate = Callable[[str, DeviceProfile, list[Measurement]], Calibration]


def judge(description: str, calibrate: Calibrate) -> None:
    """The whole of a benchmark: on each device that was measured, calibrates and prints what that is worth.

    `calibrate` takes the device's runtime, its specification and all its measurements.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", action="store_true", help="a line for each design")
    each = parser.parse_args().each
    for runtime in RUNTIMES:
        rows = measurements(runtime)
        calibration = calibrate(runtime, specification(runtime), rows)
        print_calibration(calibration)
        print_judgement(calibration.profile, rows, each)


def specification(runtime: str) -> DeviceProfile:
    """What is known of the device before anything is measured."""
    return load_device(FOLDER / f"{runtime}-specification.yaml")


def measurements(runtime: str) -> list[Measurement]:
    """All that was measured on it, in order."""
    return read_measurements(FOLDER / f"{runtime}.csv")


def known_decoders(rows: Sequence[Measurement]) -> list[Measurement]:
    """The four whose iPhone speeds are published, on the first clip that was measured."""
    decoders = [row for row in rows if row.frames and not row.subject.startswith(UNSEEN)]
    return [row for row in decoders if row.resolution == decoders[0].resolution]


def print_calibration(calibration: Calibration) -> None:
    """The decoders that were fitted: measured, estimated, and estimated by a fit to the others."""
    print(f"\n{calibration.profile.calibration}; residual {calibration.profile.residual.value:.2f}")
    print(f"{'':24} {'measured':>10} {'estimated':>10} {'error':>7}  left out of the fit")
    for row in calibration.rows:
        if row.frames:
            print(
                f"{row.subject:24} {row.measured_ms:7.1f} ms {row.estimated_ms:7.1f} ms "
                f"{row.estimated_ms / row.measured_ms - 1:+7.1%} "
                f"{row.left_out_ms / row.measured_ms - 1:+8.1%}"
            )


def print_judgement(profile: DeviceProfile, rows: Sequence[Measurement], each: bool) -> None:
    """Errors of the unseen designs, a line for each clip and group of them; with `each` one a design too.

    Prices and intervals are those that `nas estimate` prints on `profile`.
    """
    print(
        f"{'clip':>12} {'designs':22} {'n':>3} {'median':>7} {'worst':>7} {'Spearman':>9} "
        f"{'by FLOPs':>9} {'in the 90 % interval':>21} {'its width':>10} {'extrapolated':>13}"
    )
    unseen = [row for row in rows if row.subject.startswith(UNSEEN)]
    for resolution in dict.fromkeys(row.resolution for row in unseen):
        clip = [row for row in unseen if row.resolution == resolution]
        costs = [price(row, profile) for row in clip]
        times = np.array([cost.latency_ms for cost in costs])
        factor = np.array([cost.bounds_ms(profile)[1] for cost in costs]) / times
        beyond = np.array([sum(cost.unmeasured.values()) for cost in costs]) / times > EXTRAPOLATED
        flops = np.array([cost.flops for cost in costs])
        measured = np.array([row.latency_ms for row in clip])
        ratio = times / measured
        held = (ratio <= factor) & (ratio >= 1 / factor)
        uniform = np.array(["-spatial-" in row.subject or "-two_frame-" in row.subject for row in clip])
        some = (("all", uniform | ~uniform), ("drawn", ~uniform), ("spatial or two_frame", uniform))
        for name, chosen in some:
            error = abs(ratio[chosen] - 1)
            print(
                f"{'x'.join(map(str, resolution)):>12} {name:22} {chosen.sum():3} {np.median(error):7.1%} "
                f"{error.max():7.1%} {_rank(times[chosen], measured[chosen]):9.3f} "
                f"{_rank(flops[chosen], measured[chosen]):9.3f} "
                f"{f'{held[chosen].sum()} of {chosen.sum()}':>21} {f'x{np.median(factor[chosen]):.2f}':>10} "
                f"{f'{beyond[chosen].sum()} of {chosen.sum()}':>13}"
            )
        for row, time, one, inside in zip(clip, times, ratio, held, strict=True) if each else ():
            print(
                f"{'':12} {row.subject:30} {row.latency_ms:8.2f} ms {time:8.2f} ms {one - 1:+7.1%}"
                f"{'' if inside else ' outside'}"
            )


def price(row: Measurement, profile: DeviceProfile) -> Cost:
    subject = find_subject(row.subject, FOLDER, row.resolution, row.frames)
    assert subject.decodable is not None, f"{row.subject} is no decoder"
    blocks = subject.decodable.blocks(subject.input_shape, "trace", None, profile.execution)
    return sum_costs([cost for _, cost in stage_costs(blocks, "trace", profile)])


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one, other).statistic)
