"""How long a report of a large study takes, and how large it is.

    python benchmarks/report_size.py --trials 5000

Writes a SQLite study of that many trained designs, each with 24 parameters and a learning curve of 20 points,
and a picture of frames for each design of its front, into a temporary directory; then runs `nas report` on it
and prints the seconds and megabytes.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from load_study import write
from PIL import Image

from analysis import load_study, pareto_front
from search_space import design

STUDY = {
    "teacher": "wan",
    "weights": {"kind": "hub", "description": "Wan 2.1"},
    "objectives": [
        {"name": "psnr", "direction": "maximize"},
        {"name": "latency_ms", "direction": "minimize"},
    ],
    "constraints": [],
    "device": "iphone-16-pro",
    "resolution": [512, 512],
    "frames": 17,
    "settings": {"training": {"steps": 280}},
    "space": {},
}


def tell_apart(directory: Path, count: int) -> None:
    """Gives each trial of the study a design and figures of its own, quality growing with latency."""
    rng = np.random.default_rng(0)
    config = design("turbo-vaed-hunyuan").to_dict()
    records = []
    for number in range(count):
        latency = 10 ** (1 + 2 * rng.random())
        psnr = 20 + 3 * np.log10(latency) + rng.normal(0, 0.5)
        record = {
            "outcome": "trained",
            "hash": f"{number:012x}",
            "config": config,
            "costs": {
                "params": int(3e4 * latency),
                "flops": int(4e9 * latency),
                "latency_ms": latency,
                "latency_low_ms": 0.8 * latency,
                "latency_high_ms": 1.3 * latency,
                "fps": 17e3 / latency,
                "peak_memory_bytes": int(2e6 * latency),
                "fits": True,
                "source": "trace",
            },
            "metrics": {"psnr": psnr, "ssim": 0.02 * psnr},
            "curve": [[step, psnr - 8 * 0.98**step] for step in range(14, 281, 14)],
            "seconds": {"price": 0.1, "train": 9.0},
        }
        records.append((json.dumps(record), number + 1))
    with sqlite3.connect(directory / "study.db") as connection:
        statement = "UPDATE trial_user_attributes SET value_json = ? WHERE trial_id = ? AND key = 'record'"
        connection.executemany(statement, records)
        connection.execute(
            "UPDATE study_user_attributes SET value_json = ? WHERE key = 'study'", (json.dumps(STUDY),)
        )


def draw_frames(directory: Path) -> int:
    """Writes frames.png, four clips of 128 x 128 px, for each design of the front; returns their number."""
    rng = np.random.default_rng(0)
    numbers = pareto_front(load_study(directory))["number"]
    for number in numbers:
        folder = directory / "trials" / f"{number:04d}"
        folder.mkdir(parents=True)
        noise = Image.fromarray(rng.integers(0, 256, (64, 48, 3), dtype=np.uint8))
        frames = noise.resize((3 * 128, 4 * 128), Image.Resampling.BICUBIC)
        doubled = frames.resize((frames.width * 2, frames.height * 2), Image.Resampling.NEAREST)
        doubled.save(folder / "frames.png")
    return len(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=5000, help="A multiple of 100.")
    count = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory, count)
        tell_apart(directory, count)
        front = draw_frames(directory)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "nas", "report", name], check=True, capture_output=True)
        seconds = time.perf_counter() - start
        size = (directory / "report.html").stat().st_size
    print(f"{count} trials, {front} designs on the front: {seconds:.1f} s, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
