"""Makes the table of trainings from row files.

    python benchmarks/trainings/merge.py rows [more rows] --study benchmarks/studies/wan-h100
    python benchmarks/trainings/merge.py --again --study runs/wan

The trainings of searches are taken in too, from their run directories: under the name of their preset where
their settings are those that are shipped under it, or else under the study's own. Costs are computed here, by
the present cost model, and not where designs were trained: so the table is made anew from its own rows
(`--again`) when the model has changed. A training that comes twice is taken as it came first.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from designs import TEACHER, read
from table import TABLE, write

from analysis import load_study
from nas.costs import estimate, load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.settings import Settings, load_settings, presets
from search_space import DecoderConfig, SearchSpace

DEVICE, RESOLUTION, FRAMES = "iphone-16-pro", (512, 512), 17
# Of studies, which don't record it.
HARDWARE = {"wan-h100": "NVIDIA H100 80GB HBM3", "wan-h200": "NVIDIA H200"}
FORMER = Path(__file__).with_name("cpu-cosine.yaml")
SAMPLED = {1: "study"}  # by the version of a study: the first knew no sampler but Optuna's
PRICED = ("params", "flops", "latency_ms", "peak_memory_bytes")
PARTS = ("build", "train", "validate", "processor")  # of the seconds
KEY = ("preset", "steps", "hash", "seed", "weights_digest", "footage_digest")


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a row file, costs aside."""
    metrics = row["metrics"] or dict.fromkeys(("psnr", "psnr_inside", "ssim", "loss"))
    alike = ("hash", "name", "origin", "preset", "preset_steps", "seed", "reason", "hardware", "processes")
    alike += ("teacher", "teacher_psnr")
    training = row["settings"]["training"]
    return {name: row[name] for name in alike} | {
        "config": json.dumps(row["config"]),
        "trained": json.dumps(row["trained"]),
        "schedule": training["schedule"],
        "learning_rate": training["learning_rate"],
        "settings": json.dumps(row["settings"]),
        "versions": json.dumps(row["versions"]),
        "steps": training["steps"],
        "weights": row["weights"]["kind"],
        "weights_digest": row["weights"]["digest"],
        "footage_digest": row["footage"],
        "curve_step": [step for step, _ in row["curve"]],
        "curve_psnr": [psnr for _, psnr in row["curve"]],
        **metrics,
        **{f"seconds_{part}": row["seconds"].get(part) for part in PARTS},
    }


def of_study(folder: Path) -> list[dict[str, Any]]:
    """The trainings of a search, as row files have them."""
    study = load_study(folder)
    defined = study.attrs["study"]
    settings = load_settings(folder / "settings.yaml")
    shared = {name: defined[name] for name in ("teacher", "weights", "footage", "teacher_psnr", "versions")}
    shared |= {
        "preset": _preset(settings) or folder.name,
        "preset_steps": settings.training.steps,
        "settings": settings.to_dict(),
        "hardware": HARDWARE.get(folder.name),
        "processes": 1,
        "reason": None,
        "origin": SAMPLED.get(defined["version"], "search"),
    }
    space = SearchSpace.preset(defined["teacher"])
    names = [parameter.name for parameter in space.asked]
    proxy = settings.proxy
    rows = []
    for _, trial in study[study["outcome"] == "trained"].iterrows():
        config = space.config({name: trial[f"param.{name}"] for name in names})
        trained = config.narrowed(proxy.width_factor, proxy.minimum_width) if proxy else config
        rows.append(
            shared
            | {
                "name": f"{folder.name}-{trial['number']}",
                "hash": config.hash,
                "seed": trial.get("seed", defined["seed"]),
                "config": config.to_dict(),
                "trained": trained.to_dict(),
                "metrics": {name: trial[name] for name in ("psnr", "psnr_inside", "ssim", "loss")},
                "curve": trial["curve"],
                "seconds": {part: trial.get(f"seconds.{part}") for part in PARTS},
            }
        )
    return rows


def _preset(settings: Settings) -> str | None:
    """The name of the preset, shipped or once shipped, by which training is what it is by these settings."""
    for preset in map(load_settings, (*presets(), FORMER)):
        parts = ("clips", "proxy", "training")
        if all(getattr(preset, part) == getattr(settings, part) for part in parts):
            return preset.name
    return None


def priced(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with costs, and the parameters of their designs."""
    space = SearchSpace.preset(TEACHER)
    profile = load_device(DEVICE)
    configs = [DecoderConfig.from_dict(json.loads(row["config"])) for row in rows]
    tables = SpaceCosts(space, profile, RESOLUTION, FRAMES, progress=_say)
    costs = vars(tables.costs(np.array([space.positions(config) for config in configs])))
    counted = {text: _counts(text) for text in {row["trained"] for row in rows}}
    return [
        {
            **row,
            **{name: costs[name][number].item() for name in PRICED},
            **counted[row["trained"]],
            "device": DEVICE,
            "profile_digest": profile.digest,
            "resolution": "x".join(map(str, RESOLUTION)),
            "frames": FRAMES,
            **{f"param.{name}": value for name, value in space.parameters(configs[number]).items()},
        }
        for number, row in enumerate(rows)
    ]


def _counts(trained: str) -> dict[str, int]:
    """Parameters and FLOPs of what was trained, which may be in no space."""
    counts = estimate(DecoderConfig.from_dict(json.loads(trained)), DEVICE, RESOLUTION, FRAMES, "trace")
    return {"trained_params": counts.params, "trained_flops": counts.flops}


def _say(done: int, total: int) -> None:
    if done % 500 == 0:
        print(f"{done} of {total} parts priced", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path, nargs="*", help="folders of row files")
    parser.add_argument("--study", type=Path, nargs="*", default=[], help="run directories of searches")
    parser.add_argument("--again", action="store_true", help="take the rows of the table that there is, too")
    parser.add_argument("--to", type=Path, default=TABLE)
    asked = parser.parse_args()
    rows = pq.read_table(asked.to).to_pylist() if asked.again else []
    for folder in asked.rows:
        rows += [flat(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
    for folder in asked.study:
        rows += [flat(row) for row in of_study(folder)]
    once: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        once.setdefault(tuple(row[part] for part in KEY), row)
    listed = {chosen.config.hash: number for number, chosen in enumerate(read())}
    ordered = sorted(
        once.values(),
        key=lambda row: (row["preset"], row["steps"], row["seed"], listed.get(row["hash"], len(listed))),
    )
    write(priced(ordered), asked.to)
    print(f"{len(ordered)} trainings of {len({row['hash'] for row in ordered})} designs in {asked.to}")


if __name__ == "__main__":
    main()
