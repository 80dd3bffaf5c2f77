"""What a search is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHIPPED_PRIOR = "shipped"  # in place of another study


@dataclass(frozen=True)
class Request:
    """The flags of `nas search`, with its defaults.

    Attributes:
        teacher: a known teacher, or the directory of any `AutoencoderKL*`.
        weights: of the teacher: "auto", "hub", "stand-in" or a path.
        data: a folder of videos; None for the sample clips.
        budget: finished trainings, earlier ones included.
        seconds: wall clock after which no training is begun; None for no limit.
        device: profile that latency and memory are estimated for.
        resolution: height and width that costs are estimated at, px.
        frames: that costs are estimated at.
        memory: bytes that decoding may use; None for what the device gives one app.
        objectives: comma-separated names.
        constraints: conditions on static costs.
        latency_bound: whether objectives and constraints take the pessimistic end of the latency's interval.
        space: a preset or a YAML file; None for the teacher's preset.
        name: of the study; None for the folder's or the teacher's.
        out: the run's folder; None for `runs/NAME`.
        storage: a database URL; None for SQLite in the run's folder.
        settings: a preset or a YAML file; "auto" is "gpu" where there is one, else "cpu".
        seed: of everything drawn at random.
        workers: that train at the same time; None: one a GPU, else one, or on Ray all that the cluster has.
        ray: address of a Ray cluster whose nodes train; None for this machine.
        prior: trainings known before: `SHIPPED_PRIOR`, or another study's folder or storage; None for none.
        stop_early: whether a training is ended that would only stay dominated.
        confirm: designs of the front that are trained again, longer and by other seeds.
    """

    teacher: str = "wan"
    weights: str = "auto"
    data: Path | None = None
    budget: int = 50
    seconds: float | None = None
    device: str = "iphone-16-pro"
    resolution: tuple[int, int] = (512, 512)
    frames: int = 17
    memory: int | None = None
    objectives: str = "psnr,latency_ms"
    constraints: tuple[str, ...] = ()
    latency_bound: bool = False
    space: str | None = None
    name: str | None = None
    out: Path | None = None
    storage: str | None = None
    settings: str = "auto"
    seed: int = 0
    workers: int | None = None
    ray: str | None = None
    prior: str | None = None
    stop_early: bool = True
    confirm: int = 0
