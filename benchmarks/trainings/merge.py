"""Makes the table of trainings from row files.

    python benchmarks/trainings/merge.py rows [more rows] --to benchmarks/trainings/trainings.parquet

Costs are computed here, by the present cost model, and not where designs were trained: so the table is made
anew from its own rows (`--again`) when the model has changed. A training that is in several folders is taken
once.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any

from designs import read
from table import TABLE, load, write

from nas.costs import estimate
from search_space import DecoderConfig, SearchSpace

DEVICE = "iphone-16-pro"
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
    parser.add_argument("--again", action="store_true", help="take the rows of the table that there is, too")
    parser.add_argument("--to", type=Path, default=TABLE)
    asked = parser.parse_args()
    rows = load(asked.to).to_dict("records") if asked.again else []
    for folder in asked.rows:
        rows += [flat(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
    once = {tuple(row[part] for part in KEY): row for row in rows}
    place = {chosen.config.hash: number for number, chosen in enumerate(read())}
    ordered = sorted(
        once.values(), key=lambda row: (row["preset"], row["steps"], row["seed"], place[row["hash"]])
    )
    write([priced(row) for row in ordered], asked.to)
    print(f"{len(ordered)} trainings of {len({row['hash'] for row in ordered})} designs in {asked.to}")


if __name__ == "__main__":
    main()
