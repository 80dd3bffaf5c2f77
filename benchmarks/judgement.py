"""How well a calibrated profile predicts designs that it was not calibrated on: what two benchmarks print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from nas.calibration.fitting import Calibration
from nas.calibration.measurements import Measurement, read_measurements
from nas.calibration.samples import Sample, Workload, samples
from nas.costs import DeviceProfile, load_device
from nas.costs.ensemble import interval_factor, sampled

FOLDER = Path(__file__).parent / "measurements"
UNSEEN = "designs/wan-"


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
    """Errors of the unseen designs, a line for each clip and group of them; with `each` one a design too."""
    print(
        f"{'clip':>12} {'designs':22} {'n':>3} {'median':>7} {'worst':>7} {'Spearman':>9} "
        f"{'by FLOPs':>9} {'in the 90 % interval':>21} {'its width':>10}"
    )
    unseen = [row for row in rows if row.subject.startswith(UNSEEN)]
    for resolution in dict.fromkeys(row.resolution for row in unseen):
        clip = [row for row in unseen if row.resolution == resolution]
        found = samples(clip, profile, FOLDER)
        priced = Workload(found).milliseconds(sampled(profile))
        factor = interval_factor(priced, profile.residual.value)
        flops = np.array([_flops(sample) for sample in found])
        measured = np.array([row.latency_ms for row in clip])
        ratio = priced[:, 0] / measured
        held = (ratio <= factor) & (ratio >= 1 / factor)
        uniform = np.array(["-spatial-" in row.subject or "-two_frame-" in row.subject for row in clip])
        some = (("all", uniform | ~uniform), ("drawn", ~uniform), ("spatial or two_frame", uniform))
        for name, chosen in some:
            error = abs(ratio[chosen] - 1)
            print(
                f"{'x'.join(map(str, resolution)):>12} {name:22} {chosen.sum():3} {np.median(error):7.1%} "
                f"{error.max():7.1%} {_rank(priced[chosen, 0], measured[chosen]):9.3f} "
                f"{_rank(flops[chosen], measured[chosen]):9.3f} "
                f"{f'{held[chosen].sum()} of {chosen.sum()}':>21} {f'x{np.median(factor[chosen]):.2f}':>10}"
            )
        for row, times, one, inside in zip(clip, priced, ratio, held, strict=True) if each else ():
            print(
                f"{'':12} {row.subject:30} {row.latency_ms:8.2f} ms {times[0]:8.2f} ms {one - 1:+7.1%}"
                f"{'' if inside else ' outside'}"
            )


def _flops(sample: Sample) -> int:
    return sum(program.flops for _, program in sample.chain)


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one, other).statistic)
