"""The test of the poverty: calibrated on four decoders, how well are 30 unseen designs predicted?

    python benchmarks/poverty.py            # on an H100 and on a CPU
    python benchmarks/poverty.py --each     # with a line for each design

A phone's profile rests on the published speeds of four decoders. Here the same four, and what
specifications say are all that is known of two devices whose speeds can be measured: it is what to
expect of the phone's profile, for designs from the space for Wan that include operators which none of the
four has. The tables were measured by measure_devices.py.
"""

from __future__ import annotations

from judgement import FOLDER, judge, known_decoders

from nas.calibration.fitting import Calibration, fit_profile
from nas.calibration.measurements import Measurement
from nas.calibration.samples import samples
from nas.costs import DeviceProfile


def by_four_decoders(runtime: str, profile: DeviceProfile, rows: list[Measurement]) -> Calibration:
    known = samples(known_decoders(rows), profile, FOLDER)
    return fit_profile(known, profile, f"{runtime}-by-four-decoders", profile.description)


if __name__ == "__main__":
    judge(__doc__, by_four_decoders)
