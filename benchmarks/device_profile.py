"""Profiles fitted to the full set of probes: how well are 30 unseen designs predicted?

    python benchmarks/device_profile.py            # on an H100 and on a CPU; writes their profiles
    python benchmarks/device_profile.py --each     # with a line for each design

The probes and the four known decoders fit every figure by itself. The profiles are written to
benchmarks/measurements/DEVICE.yaml. The tables were measured by measure_devices.py.
"""

from __future__ import annotations

import argparse

from judgement import (
    FOLDER,
    known_decoders,
    measurements,
    print_calibration,
    print_judgement,
    specification,
)

from nas.calibration.fitting import fit_profile
from nas.calibration.profile_file import write_profile
from nas.calibration.samples import samples
from nas.calibration.timing import RUNTIMES


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", action="store_true", help="a line for each design")
    each = parser.parse_args().each
    for runtime in RUNTIMES:
        profile, rows = specification(runtime), measurements(runtime)
        fitted_to = known_decoders(rows) + [row for row in rows if not row.frames]
        calibration = fit_profile(samples(fitted_to, profile, FOLDER), profile, runtime, profile.description)
        write_profile(calibration.profile, FOLDER / f"{runtime}.yaml")
        print_calibration(calibration)
        print_judgement(calibration.profile, rows, each)


if __name__ == "__main__":
    main()
