"""Profiles fitted to the full set of probes: how well are 30 unseen designs predicted?

    python benchmarks/device_profile.py            # on an H100 and on a CPU; writes their profiles
    python benchmarks/device_profile.py --each     # with a line for each design

The probes and the four known decoders fit every figure by itself. The profiles are written to
benchmarks/measurements/DEVICE.yaml. The tables were measured by measure_devices.py.
"""

from __future__ import annotations

from judgement import FOLDER, judge, known_decoders

from nas.calibration.fitting import Calibration, fit_profile
from nas.calibration.measurements import Measurement
from nas.calibration.profile_file import write_profile
from nas.calibration.samples import samples
from nas.costs import DeviceProfile


def by_all_probes(runtime: str, profile: DeviceProfile, rows: list[Measurement]) -> Calibration:
    fitted_to = known_decoders(rows) + [row for row in rows if not row.frames]
    calibration = fit_profile(samples(fitted_to, profile, FOLDER), profile, runtime, profile.description)
    write_profile(calibration.profile, FOLDER / f"{runtime}.yaml")
    return calibration


if __name__ == "__main__":
    judge(__doc__, by_all_probes)
