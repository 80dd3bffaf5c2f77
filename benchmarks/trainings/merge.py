"""Makes the table of trainings from row files.

    python benchmarks/trainings/merge.py rows [more rows] --study benchmarks/studies/wan-h100

The trainings of studies are taken in too, under the study's name as their preset. Costs are computed here, by
the present cost model, and not where designs were trained: so the table is made anew from its own rows
(`--again`) when the model has changed. A training that is in several folders is taken once.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from designs import read
from table import TABLE, write

from analysis import load_study
from nas.costs import estimate
from search_space import DecoderConfig, SearchSpace

DEVICE = "iphone-16-pro"
HARDWARE = {"wan-h100": "NVIDIA H100 80GB HBM3"}  # of studies, which don't record it
PRICED = ("params", "flops", "latency_ms", "peak_memory_bytes")
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
        **{f"seconds_{part}": row["seconds"].get(part) for part in ("build", "train", "validate")},
    }


def of_study(folder: Path) -> list[dict[str, Any]]:
    """The trainings of a study without a proxy, as row files have them."""
    study = load_study(folder)
    defined = study.attrs["study"]
    settings = yaml.safe_load((folder / "settings.yaml").read_text(encoding="utf-8"))
    shared = {
        name: defined[name] for name in ("teacher", "weights", "footage", "teacher_psnr", "versions", "seed")
    }
    shared |= {
        "preset": folder.name,
        "preset_steps": settings["training"]["steps"],
        "settings": settings,
        "hardware": HARDWARE[folder.name],
        "processes": 1,
        "reason": None,
        "origin": "study",
    }
    space = SearchSpace.preset(defined["teacher"])
    names = [parameter.name for parameter in space.asked]
    rows = []
    for _, trial in study[study["outcome"] == "trained"].iterrows():
        config = space.config({name: trial[f"param.{name}"] for name in names})
        rows.append(
            shared
            | {
                "name": f"{folder.name}-{trial['number']}",
                "hash": config.hash,
                "config": config.to_dict(),
                "trained": config.to_dict(),
                "metrics": {name: trial[name] for name in ("psnr", "psnr_inside", "ssim", "loss")},
                "curve": trial["curve"],
                "seconds": {part: trial[f"seconds.{part}"] for part in ("build", "train", "validate")},
            }
        )
    return rows


@cache
def costs(config: str) -> dict[str, Any]:
    """What a design costs on `DEVICE`."""
    return estimate(DecoderConfig.from_dict(json.loads(config)), DEVICE, source="trace").to_dict()


def priced(row: dict[str, Any]) -> dict[str, Any]:
    """A row with costs and the parameters of its design."""
    full, trained = costs(row["config"]), costs(row["trained"])
    config = DecoderConfig.from_dict(json.loads(row["config"]))
    parameters = SearchSpace.preset(row["teacher"]).parameters(config)
    return {
        **row,
        **{name: full[name] for name in PRICED},
        "trained_params": trained["params"],
        "trained_flops": trained["flops"],
        "device": full["device"],
        "profile_digest": full["profile_digest"],
        "resolution": "x".join(map(str, full["resolution"])),
        "frames": full["frames"],
        **{f"param.{name}": value for name, value in parameters.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path, nargs="*", help="folders of row files")
    parser.add_argument("--study", type=Path, nargs="*", default=[], help="folders of studies")
    parser.add_argument("--again", action="store_true", help="take the rows of the table that there is, too")
    parser.add_argument("--to", type=Path, default=TABLE)
    asked = parser.parse_args()
    rows = pq.read_table(asked.to).to_pylist() if asked.again else []
    for folder in asked.rows:
        rows += [flat(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
    for folder in asked.study:
        rows += [flat(row) for row in of_study(folder)]
    once = {tuple(row[part] for part in KEY): row for row in rows}
    listed = {chosen.config.hash: number for number, chosen in enumerate(read())}
    ordered = sorted(
        once.values(),
        key=lambda row: (row["preset"], row["steps"], row["seed"], listed.get(row["hash"], len(listed))),
    )
    write([priced(row) for row in ordered], asked.to)
    print(f"{len(ordered)} trainings of {len({row['hash'] for row in ordered})} designs in {asked.to}")


if __name__ == "__main__":
    main()
