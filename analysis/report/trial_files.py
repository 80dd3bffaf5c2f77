"""What is wrong with the files that a search left of a trial: whoever exports it would stumble over them."""

import json
from pathlib import Path
from typing import Any

_READ = {"config.json": "a configuration", "metrics.json": "metrics"}


def damage(folder: Path, number: int) -> str:
    """What is wrong with the folder of a trial of that number, in a clause; nothing where all is well."""
    found: dict[str, Any] = {}
    for name, what in _READ.items():
        try:
            found[name] = json.loads((folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return f"there is no {folder / name}"
        except (OSError, ValueError) as error:
            return f"{folder / name} can't be read as {what}: {error}"
        if not isinstance(found[name], dict):
            return f"{folder / name} can't be read as {what}: it holds no names and values"
    metrics = found["metrics.json"]
    if not isinstance(metrics.get("metrics"), dict) or "psnr" not in metrics["metrics"]:
        return f"{folder / 'metrics.json'} can't be read as metrics: it has no PSNR"
    if metrics.get("trial") != number:
        return f"{folder / 'metrics.json'} is of another trial"
    return ""
