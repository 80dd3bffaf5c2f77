"""A study in Optuna: what all its trials share, one record a trial, and what happens when it is continued.

Searching goes by ask and tell, so samplers and storages are Optuna's own. Beside parameters and values, a
study keeps `user_attrs["study"]` (its definition) and, once the front has been priced again from Core ML
conversion, `user_attrs["repriced"]`; a trial keeps `user_attrs["record"]`, all that is known of it.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from nas.objectives import Objective
from search_space.errors import UserError, first_line

VERSION = 1  # of the layout of the records
TRAINED, REFUSED, REPEATED, FAILED, RUNNING = "trained", "refused", "repeated", "failed", "running"
INTERRUPTED = "interrupted"  # the reason of a failed trial that is tried again when the study is continued

_STATES = {
    TRAINED: TrialState.COMPLETE,
    REFUSED: TrialState.PRUNED,
    REPEATED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}
_PACKAGES = ("nas-video-decoders", "torch", "optuna", "diffusers", "coremltools")

Record = dict[str, Any]

optuna.logging.set_verbosity(optuna.logging.WARNING)  # its news of every trial would come between ours


@dataclass(frozen=True)
class Definition:
    """What every trial of a study has in common, so that their figures compare.

    Attributes:
        teacher: its name.
        weights: kind, source, digest and description of the weights in use.
        device: the profile that latency and memory are estimated for.
        device_digest: of the profile's figures.
        resolution: height and width that costs are estimated at, px.
        frames: that costs are estimated at.
        memory: bytes that decoding may use; None for what the device gives one app.
        preset: name of the settings.
        settings: the settings in full.
        seed: of the sampler, of initial weights and of the order of clips.
        objectives: name and direction of each.
        constraints: as text.
        space: the space's own description.
        footage: digest of the clips; last, since other settings and another seed change it too, and a
            difference is named by what comes first.
    """

    teacher: str
    weights: dict[str, Any]
    device: str
    device_digest: str
    resolution: tuple[int, int]
    frames: int
    memory: int | None
    preset: str
    settings: dict[str, Any]
    seed: int
    objectives: tuple[Objective, ...]
    constraints: tuple[str, ...]
    space: dict[str, Any]
    footage: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values = asdict(self)
        return values | {key: list(values[key]) for key in ("resolution", "objectives", "constraints")}


class Study:
    """One search: its trials so far, and the way to the next."""

    def __init__(self, study: optuna.Study, definition: Definition) -> None:
        self._study = study
        self.definition = definition

    @classmethod
    def open(cls, storage: str, name: str, definition: Definition) -> Study:
        """Continues the study of that name, or makes it.

        Args:
            storage: a database URL.
            name: of the study in it.
            definition: what its trials are to share.

        Raises:
            UserError: the storage can't be opened, or the study there was defined otherwise (the first
                difference is named).
        """
        try:
            backend = RDBStorage(storage)
            optuna.get_all_study_names(backend)
        except (ImportError, ValueError, sqlalchemy.exc.SQLAlchemyError) as error:
            cause = first_line(getattr(error, "orig", None) or error)
            raise UserError(f"storage '{without_password(storage)}' can't be opened: {cause}") from None
        directions = [objective.direction for objective in definition.objectives]
        study = optuna.create_study(
            storage=backend, study_name=name, directions=directions, load_if_exists=True
        )
        same_directions = [direction.name.lower() for direction in study.directions] == directions
        if "study" not in study.user_attrs and same_directions and not study.trials:
            # New, or its process was ended between making and defining it.
            study.set_user_attr("study", definition.to_dict() | _circumstances())
        known = study.user_attrs.get("study")
        if known is None:
            raise UserError(f"study '{name}' in '{without_password(storage)}' was not made by nas search")
        # The same weights may lie elsewhere by now: their digest tells.
        now = definition.to_dict()
        now["weights"] = {key: value for key, value in now["weights"].items() if key != "source"}
        difference = _first_difference(known, now)
        if difference is not None:
            key, before, after = difference
            raise UserError(
                f"study '{name}' was begun with {key} {before}, not {after}: continue it with the same,"
                " or begin another with --name"
            )
        return cls(study, definition)

    def sample_with(self, sampler: optuna.samplers.BaseSampler) -> None:
        """Sets what proposes the next candidates."""
        self._study.sampler = sampler

    def note(self, **facts: Any) -> None:
        """Adds to what the study says of itself, without making it a condition of continuing."""
        self._study.set_user_attr("study", self._study.user_attrs["study"] | facts)

    def ask(self) -> Trial:
        """The next trial: one that was enqueued, or else what the sampler proposes."""
        return self._study.ask()

    def enqueue(self, parameters: Mapping[str, Any]) -> None:
        """Has a design tried before the sampler proposes any other."""
        self._study.enqueue_trial(dict(parameters))

    def retry(self, trial: Trial | FrozenTrial) -> None:
        """Has a trial's design tried again: the one that was enqueued, or else what was suggested so far."""
        known = self.trials()[trial.number]
        self.enqueue(known.system_attrs.get("fixed_params", known.params))

    def start(self, trial: Trial, record: Record) -> None:
        """Notes that a trial is being trained, and by which process."""
        trial.set_user_attr("record", record | {"outcome": RUNNING} | _process())

    def finish(self, trial: Trial, record: Record) -> None:
        """Keeps what became of a trial: its outcome and, where it was trained, costs and metrics."""
        trial.set_user_attr("record", record)
        values = None
        if record["outcome"] == TRAINED:
            known = record["costs"] | record["metrics"]
            values = [float(known[objective.name]) for objective in self.definition.objectives]
        self._study.tell(trial, values, state=_STATES[record["outcome"]])

    def retire_dead(self) -> int:
        """Marks trials failed whose process ended without a word: killed, or out of the computer's memory.

        A trial that a living process of this computer or any process of another is at work on is left alone.
        Such designs aren't tried again, since what killed the process may have been the design; one that was
        asked for but not begun is. A trial that was over, and only not yet told as such, keeps its outcome.

        Returns:
            How many were marked failed.
        """
        failed = 0
        for trial in self.trials(TrialState.RUNNING):
            record = record_of(trial)
            if _alive(record):
                continue
            if record.get("outcome") not in _STATES:
                failed += 1
                if "hash" not in record:
                    self.retry(trial)
                record = record | {"outcome": FAILED, "reason": "its process ended during the training"}
            self.finish(Trial(self._study, trial._trial_id), record)
        return failed

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """All trials by number, or those in one of the states."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    @property
    def trained(self) -> int:
        """How many trainings are finished: what a budget counts."""
        return len(self.trials(TrialState.COMPLETE))

    def known(self) -> dict[str, int]:
        """The hash of every configuration that needs no other trial, with the first trial's number."""
        hashes: dict[str, int] = {}
        for trial in self.trials():
            record = record_of(trial)
            if "hash" in record and record.get("reason") != INTERRUPTED:
                hashes.setdefault(record["hash"], trial.number)
        return hashes

    def front(self) -> list[FrozenTrial]:
        """The trained trials that none other dominates, cheapest in the last objective first."""
        best = self._study.best_trials
        sign = 1 if self.definition.objectives[-1].direction == "minimize" else -1
        return sorted(best, key=lambda trial: sign * trial.values[-1])

    @property
    def repriced(self) -> dict[str, dict[str, Any]]:
        """Costs from Core ML conversion, by trial number as text."""
        return self._study.user_attrs.get("repriced", {})

    def reprice(self, number: int, costs: Mapping[str, Any]) -> None:
        """Keeps the costs of a trial from Core ML conversion."""
        self._study.set_user_attr("repriced", self.repriced | {str(number): dict(costs)})


def record_of(trial: FrozenTrial) -> Record:
    """What is known of a trial; empty where it was enqueued and not begun."""
    return trial.user_attrs.get("record", {})


def _circumstances() -> dict[str, Any]:
    """What is worth knowing of a study's beginning but need not stay the same."""
    return {
        "version": VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in _PACKAGES},
    }


def _process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "process": os.getpid()}


def _alive(record: Record) -> bool:
    """Whether what works on a trial may still live; this process has only just begun, so it isn't the one."""
    if record.get("host") != socket.gethostname():
        return "host" in record
    process = record["process"]
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The first key, dotted into nested mappings, whose value differs, with both values."""
    for key, value in now.items():
        known = before.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            inner = _first_difference(known, value)
            if inner is not None:
                return f"{key}.{inner[0]}", *inner[1:]
        elif known != value:
            return key, known, value
    return None


def without_password(url: str) -> str:
    """A storage's URL as it may be shown."""
    try:
        return sqlalchemy.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return url
