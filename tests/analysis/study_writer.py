"""Studies as `nas search` leaves them: real SQLite files written by Optuna, one record a trial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna

OBJECTIVES = [{"name": "psnr", "direction": "maximize"}, {"name": "latency_ms", "direction": "minimize"}]
FRAMES = 17


def study_record(**changes: Any) -> dict[str, Any]:
    """A study's own record."""
    return {
        "version": "0.1.0",
        "teacher": "wan",
        "weights": {
            "kind": "stand-in",
            "source": "nas/teachers/stand_in",
            "digest": "0123abcd",
            "description": "stand-in for Wan 2.1, 30.1 dB on held-out scenes",
        },
        "device": "iphone-16-pro",
        "resolution": [512, 512],
        "frames": FRAMES,
        "preset": "cpu",
        "settings": {"proxy": None, "training": {"steps": 100}, "clips": {"validation": 8, "size": 128}},
        "seed": 0,
        "teacher_psnr": 29.5,
        "objectives": OBJECTIVES,
        "constraints": [],
        "versions": {},
        "space": {},
        "created": "2026-01-01T00:00:00",
    } | changes


def costs(latency_ms: float, params: float = 10e6, source: str = "trace") -> dict[str, Any]:
    """The costs of a design of that latency, as an estimate gives them."""
    return {
        "params": int(params),
        "flops": int(latency_ms * 4e9),
        "latency_ms": latency_ms,
        "fps": FRAMES / latency_ms * 1e3,
        "peak_memory_bytes": int(latency_ms * 2e6),
        "fits": latency_ms < 2000,
        "source": source,
        "device": "iphone-16-pro",
        "resolution": [512, 512],
    }


def trained(psnr: float, latency_ms: float, params: float = 10e6, **changes: Any) -> dict[str, Any]:
    """The record of a trial that was trained to the end."""
    return {
        "outcome": "trained",
        "reason": None,
        "hash": f"{hash((psnr, latency_ms, params)) % 16**8:08x}",
        "name": None,
        "config": {"decoder_block_out_channels": [16, 32, 64, 128]},
        "costs": costs(latency_ms, params),
        "proxy": {"params": int(params / 16), "flops": int(latency_ms * 2e8)},
        "metrics": {"psnr": psnr, "ssim": 0.5 + psnr / 100},
        "curve": [[step, psnr - 8 * 0.9 ** (step / 10)] for step in range(0, 101, 10)],
        "seconds": {"price": 0.1, "build": 0.2, "train": 9.0, "validate": 0.5},
    } | changes


def refused(latency_ms: float, reason: str) -> dict[str, Any]:
    """The record of a trial that a constraint kept from being trained."""
    return {
        "outcome": "refused",
        "reason": reason,
        "hash": "ffffffff",
        "name": None,
        "config": {},
        "costs": costs(latency_ms),
        "proxy": None,
        "metrics": {},
        "curve": [],
        "seconds": {"price": 0.1},
    }


def random_records(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Trained trials whose quality grows with the logarithm of their latency, with noise about it."""
    rng = np.random.default_rng(seed)
    latencies = 10 ** rng.uniform(1.2, 3.3, count)
    psnrs = 22 + 2.4 * np.log10(latencies) + rng.normal(0, 0.6, count)
    return [
        trained(float(psnr), float(latency), params=float(latency * 3e4))
        for psnr, latency in zip(psnrs, latencies, strict=True)
    ]


def confirmation(*psnrs: float, steps: int = 400) -> dict[str, Any]:
    """What a study keeps of a design that was trained again, once for each PSNR."""
    runs = [
        {
            "seed": 10_000 + i,
            "metrics": {"psnr": psnr, "ssim": 0.5 + psnr / 100},
            "curve": [],
            "seconds": 36.0,
        }
        for i, psnr in enumerate(psnrs)
    ]
    ssims = [run["metrics"]["ssim"] for run in runs]
    return {
        "steps": steps,
        "runs": runs,
        "metrics": {"psnr": float(np.mean(psnrs)), "ssim": float(np.mean(ssims))},
        "spread": {"psnr": float(np.std(psnrs, ddof=1)), "ssim": float(np.std(ssims, ddof=1))},
    }


_STATES = {
    "trained": optuna.trial.TrialState.COMPLETE,
    "stopped": optuna.trial.TrialState.PRUNED,
    "refused": optuna.trial.TrialState.PRUNED,
    "repeated": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
    "running": optuna.trial.TrialState.RUNNING,
    "claimed": optuna.trial.TrialState.RUNNING,
}
_CHOICES: dict[str, list[Any]] = {
    "up0_conv": ["dense", "dw3", "spatial"],
    "up0_width": [16, 32, 64, 128],
    "patch_size": [1, 2, 4],
}
_DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "up0_conv": optuna.distributions.CategoricalDistribution(_CHOICES["up0_conv"]),
    "up0_width": optuna.distributions.IntDistribution(16, 256, step=16),
    "patch_size": optuna.distributions.CategoricalDistribution(_CHOICES["patch_size"]),
}


def _distributions(parameters: Sequence[dict[str, Any]]) -> dict[str, optuna.distributions.BaseDistribution]:
    """Of each parameter a choice among the values it takes."""
    values = {name: sorted({chosen[name] for chosen in parameters}) for name in parameters[0]}
    return {name: optuna.distributions.CategoricalDistribution(choices) for name, choices in values.items()}


def write_study(
    directory: Path,
    records: Sequence[dict[str, Any]],
    name: str = "run",
    attributes: dict[str, Any] | None = None,
    parameters: Sequence[dict[str, Any]] | None = None,
) -> Path:
    """Writes a run directory with a study of these records in it.

    A trial whose outcome is "running" is left running; "progress" in its record becomes its attribute.

    Args:
        directory: the run directory; made if it isn't there. A second study goes into the same ``study.db``.
        records: one dict a trial.
        name: the study's name.
        attributes: further user attributes of the study; "study" replaces its record.
        parameters: of each trial; None for some drawn at random.
    """
    directory.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{directory / 'study.db'}",
        directions=[objective["direction"] for objective in OBJECTIVES],
    )
    for key, value in ({"study": study_record()} | (attributes or {})).items():
        study.set_user_attr(key, value)
    rng = np.random.default_rng(0)
    for number, record in enumerate(records):
        params = {name: rng.choice(choices).item() for name, choices in _CHOICES.items()}
        is_trained = record["outcome"] == "trained"
        study.add_trial(
            optuna.trial.create_trial(
                state=_STATES[record["outcome"]],
                values=[record["metrics"]["psnr"], record["costs"]["latency_ms"]] if is_trained else None,
                params=params if parameters is None else parameters[number],
                distributions=_DISTRIBUTIONS if parameters is None else _distributions(parameters),
                user_attrs={"record": record}
                | ({"progress": record["progress"]} if "progress" in record else {}),
            )
        )
    return directory
