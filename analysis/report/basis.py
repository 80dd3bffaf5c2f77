"""What the figures of a study rest on: measured, estimated or simulated, settings, versions."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from search_space.counting import plural

from ..design_table import designs
from .columns import column


def stand_in(study: pd.DataFrame) -> bool:
    """Whether the teacher's weights are a stand-in for those of the real one."""
    return bool(study.attrs["study"]["weights"]["kind"] == "stand-in")


def measured_and_estimated(study: pd.DataFrame) -> list[tuple[str, str, str]]:
    """What of the study is what: (quantity, "measured", "estimated", … , how)."""
    record = study.attrs["study"]
    return [
        (
            "parameters, arithmetic",
            "counted",
            "exactly, from each design's configuration; 2 FLOPs a multiply-add",
        ),
        ("latency, speed, memory", "estimated", _costs(study)),
        ("quality", "measured", _quality(study)),
        (
            "the teacher",
            "stand-in" if stand_in(study) else "real weights",
            f"{record['teacher']}: {record['weights']['description']}",
        ),
        ("time of trainings", "measured", "wall clock of the machine that trained"),
    ]


def settings(study: pd.DataFrame) -> list[tuple[str, list[tuple[str, str]]]]:
    """All that defines the study, in groups of (name, value)."""
    record = study.attrs["study"]
    objectives = ", ".join(f"{o['direction']} {o['name']}" for o in record["objectives"])
    height, width = record["resolution"]
    run = {
        "objectives": objectives,
        "constraints": ", ".join(record["constraints"]) or "none",
        "device": record["device"],
        "device profile": record.get("device_digest"),
        "clip that costs are for": f"{plural(record['frames'], 'frame')} of {height}x{width}",
        "memory limit": None
        if record.get("memory") is None
        else column("peak_memory_bytes").amount(record["memory"]),
        "seed": record.get("seed"),
        "footage": record.get("footage"),
        "footage from": ", ".join(record.get("sources", [])),
        "prior": "; ".join(record.get("priors", [])),
        "run": record.get("run"),
        "begun": record.get("created"),
    }
    groups = {
        "Search": run,
        "Teacher": {"name": record["teacher"], **record["weights"]},
        f"Training settings ({record.get('preset', 'own')})": _flat(record.get("settings") or {}),
        "Space": _flat(record.get("space") or {}),
        "Versions": record.get("versions") or {},
    }
    return [
        (name, [(key, str(value)) for key, value in values.items() if value not in (None, "")])
        for name, values in groups.items()
    ]


def _costs(study: pd.DataFrame) -> str:
    record = study.attrs["study"]
    height, width = record["resolution"]
    table = designs(study)
    known = table["source"].value_counts()
    sources = {"coreml": "from their conversion to Core ML", "trace": "from a trace of their operators"}
    how = ", ".join(f"{plural(count, 'design')} {sources[str(name)]}" for name, count in known.items())
    extrapolated = ""
    if "standing" in table and (count := int((table["standing"] == "extrapolated").sum())):
        extrapolated = f"; {count:,} of them extrapolated beyond what calibrated the device's profile"
    return (
        f"for {plural(record['frames'], 'frame')} of {height}x{width} on {record['device']}"
        + (f" ({how}{extrapolated})" if how else "")
        + "; nothing was run on that device"
    )


def _quality(study: pd.DataFrame) -> str:
    record = study.attrs["study"]
    training = (record.get("settings") or {}).get("training") or {}
    steps = f"after trainings of {plural(training['steps'], 'step')}, " if "steps" in training else ""
    table = designs(study)
    narrowed = "proxy.params" in table and bool((table["proxy.params"] < table["params"]).any())
    whose = (
        "of copies narrowed in width, which rank full designs only roughly"
        if narrowed
        else "of the full designs"
    )
    return f"{steps}on held-out clips, {whose}"


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings with dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return flat
