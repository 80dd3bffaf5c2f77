"""The test of the poverty: calibrated on four decoders, how well are 30 unseen designs predicted?

    python benchmarks/poverty.py            # on an H100 and on a CPU
    python benchmarks/poverty.py --each     # with a line for each design

A phone's profile rests on the published speeds of four decoders. Here the same four, and what
specifications say are all that is known of two devices whose speeds can be measured: it is what to
expect of the phone's profile, for designs from the space for Wan that include operators which none of the
four has. The tables were measured by measure_devices.py.
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
        known = samples(known_decoders(rows), profile, FOLDER)
        calibration = fit_profile(known, profile, f"{runtime}-by-four-decoders", profile.description)
        print_calibration(calibration)
        print_judgement(calibration.profile, rows, each)


if __name__ == "__main__":
    main()
