"""Measures this machine for the tests of the latency model: writes benchmarks/measurements/DEVICE.csv.

    python benchmarks/measure_devices.py cuda
    export GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184
    OMP_NUM_THREADS=4 taskset -c 8,10,12,14 python benchmarks/measure_devices.py host

In this order: the four decoders whose iPhone speeds are published and 30 unseen designs, the probes and, on
CUDA, the decoders again on a larger clip. What the table has is not measured again, so that it can be
stopped. Without the tunables glibc gives freed memory back to the system, and a tensor of more than 32 MB
pays for its pages again at every call, an activation function ten times as long, by the process's history.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from unseen_designs import unseen_designs

from nas.calibration.measuring import measure
from nas.calibration.probes import block_probes, operator_probes
from nas.calibration.subjects import Subject, decoder_subject, probe_subject
from nas.calibration.timing import RUNTIMES, describe

FOLDER = Path(__file__).parent / "measurements"
KNOWN = ("turbo-vaed-hunyuan", "turbo-vaed-dc", "turbo-vaed-ltx", "designs/ltx-video.json")
UNSEEN = tuple(f"designs/{name}.json" for name in unseen_designs())
# A GPU is measured at the size that the iPhone speeds are published for, a processor at one it can bear.
CLIPS = {"cuda": ((512, 512), 17), "host": ((128, 128), 9)}
LARGER_CLIP = ((720, 1280), 17)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runtime", choices=RUNTIMES)
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the table")
    arguments = parser.parse_args()
    runtime = arguments.runtime
    print(describe(runtime))
    subjects = decoders(*CLIPS[runtime])
    subjects += [probe_subject(probe) for probe in operator_probes(*CLIPS[runtime])]
    subjects += [probe_subject(probe) for probe in block_probes(*CLIPS[runtime])]
    if runtime == "cuda":
        subjects += decoders(*LARGER_CLIP)
    measure(subjects, runtime, arguments.to / f"{runtime}.csv", print)


def decoders(resolution: tuple[int, int], frames: int) -> list[Subject]:
    """The known and the unseen decoders for such a clip; 16 frames for DC, whose latents give 4 each."""
    clips = {name: frames - frames % 4 if name == "turbo-vaed-dc" else frames for name in KNOWN + UNSEEN}
    return [decoder_subject(name, FOLDER, resolution, length) for name, length in clips.items()]


if __name__ == "__main__":
    main()
