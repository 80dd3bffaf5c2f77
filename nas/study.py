"""A study in Optuna: one record a trial, and what happens when it is continued, or shared by several mains.

Searching goes by ask and tell, so samplers and storages are Optuna's own. Beside parameters and values, a
study keeps in its user attributes `study` (its definition), `main:ID` (the beat of each main process),
`repriced:NUMBER` (costs from Core ML conversion) and `confirmed:NUMBER:STEPS:SEED` (`nas.confirmed`); a trial
keeps `record`, all that is known of it, and `progress` while it is trained.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from nas import claims, confirmed
from nas.definition import Definition, circumstances
from nas.leases import LEASE_S, Lease, alive, new_main
from nas.migration import migrate, migrated
from nas.record import (
    CLAIMED,
    FAILED,
    INTERRUPTED,
    LOST,
    OVER_BUDGET,
    REFUSED,
    REPEATED,
    RUNNING,
    STOPPED,
    TRAINED,
    Record,
    record_of,
)
from nas.sampling.sampler import REPEAT_OF
from nas.sampling.trials import EXPECTED_VALUES
from nas.standing import front
from nas.storage import open_storage
from search_space.errors import UserError, without_password

_STATES = {
    TRAINED: TrialState.COMPLETE,
    STOPPED: TrialState.PRUNED,
    REFUSED: TrialState.PRUNED,
    REPEATED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}
_LOST_AGAIN = "its process ended during the training, twice"
_MAIN = "main:"
_LASTING = ("attempt", REPEAT_OF)  # attributes of a trial that it keeps when it is tried again
_POLL_S = 0.02  # while another main decides, which takes it milliseconds
_DEFINED_S = 3.0  # after which who made a study was ended before it could define it
_DECISION_S = 5.0  # after which it is looked whether that main still lives

optuna.logging.set_verbosity(optuna.logging.WARNING)  # its news of every trial would come between ours


class Study:
    """One search: its trials so far, and the way to the next.

    Attributes:
        definition: what all trials share.
        main: the name of this main process.
    """

    def __init__(self, study: optuna.Study, definition: Definition) -> None:
        self._study = study
        self.definition = definition
        self.main = new_main()
        self._lease: Lease | None = None
        self._unclaimed: dict[int, float] = {}  # trials of nobody, by when they were first seen

    @classmethod
    def open(
        cls,
        storage: str,
        name: str,
        definition: Definition,
        say: Callable[[str], None] = lambda text: None,
    ) -> Study:
        """Continues the study of that name, or makes it.

        Args:
            storage: a database URL, or the path of a journal file.
            name: of the study in it.
            definition: what its trials are to share.
            say: hears when the storage is away, and when it is back.

        Raises:
            UserError: the storage can't be opened, or the study there was defined otherwise (the first
                difference is named).
        """
        directions = [objective.direction for objective in definition.objectives]
        opened = open_storage(storage, say)
        try:
            study = optuna.create_study(storage=opened, study_name=name, directions=directions)
        except DuplicatedStudyError:
            study = optuna.load_study(storage=opened, study_name=name)
            _wait_for_definition(study)
        same_directions = [direction.name.lower() for direction in study.directions] == directions
        # Who made it may have been ended, or been so slow that another defined it meanwhile.
        if "study" not in study.user_attrs and same_directions and not study.trials:
            study.set_user_attr("study", definition.to_dict() | circumstances())
        if "study" not in study.user_attrs:
            raise UserError(f"study '{name}' in '{without_password(storage)}' was not made by nas search")
        definition.check(migrated(study.user_attrs["study"], name), name)
        migrate(study)
        return cls(study, definition)

    @contextlib.contextmanager
    def at_work(self, **facts: Any) -> Iterator[None]:
        """Has this main counted among the living for the length of a `with` block.

        Args:
            facts: what others may know of it.

        Raises:
            UserError: another main, which opened the study at the same time, has defined it otherwise since.
        """
        self._lease = Lease(lambda beat: self._study.set_user_attr(f"{_MAIN}{self.main}", beat), facts)
        with self._lease:
            self.definition.check(self._study.user_attrs["study"], self._study.study_name)
            yield

    def sample_with(self, sampler: optuna.samplers.BaseSampler) -> None:
        """Sets what proposes the next candidates."""
        self._study.sampler = sampler

    def note(self, **facts: Any) -> None:
        """Adds to what the study says of itself, without making it a condition of continuing."""
        self._study.set_user_attr("study", self._study.user_attrs["study"] | facts)

    def note_prior(self, prior: str) -> None:
        """Adds trainings known before, which proposals go by from now on, to what the study says."""
        known = self._study.user_attrs["study"].get("priors", [])
        if prior not in known:
            self.note(priors=[*known, prior])

    def ask(self) -> Trial:
        """The next trial: one that was enqueued, or else what the sampler proposes."""
        return self._study.ask()

    def enqueue(self, parameters: Mapping[str, Any], **attributes: Any) -> None:
        """Has a design tried before the sampler proposes any other."""
        self._study.enqueue_trial(dict(parameters), user_attrs=attributes)

    def claim(self, trial: Trial, record: Record, budget: int) -> Record:
        """Asks for the right to train a design.

        Args:
            trial: that is to train it.
            record: its own so far, with the design's hash.
            budget: trainings of the study, at most.

        Returns:
            What the record gains: the seed of the training, or the outcome of a trial that may not begin.
        """
        self._write(trial, record | {"outcome": CLAIMED, "main": self.main})
        began = time.monotonic()
        while claims.undecided(trials := self.trials(), trial.number):
            time.sleep(_POLL_S)
            if time.monotonic() - began > _DECISION_S:
                self.reap()
        earlier = claims.first_of(trials, trial.number, record["hash"], trial.user_attrs)
        if earlier is not None:
            return {"outcome": REPEATED, "reason": f"the same design as trial {earlier}"}
        if claims.over_budget(trials, trial.number, budget):
            self._again(trial, {})
            return {"outcome": REFUSED, "reason": OVER_BUDGET}
        return {"seed": claims.free_seed(trials, trial.number, record["hash"], self.definition.seed)}

    def start(self, trial: Trial, record: Record) -> None:
        """Notes that a trial is being trained, and by which main."""
        with contextlib.suppress(UpdateFinishedTrialError):  # taken from this main, as `finish` will say
            self._write(trial, record | {"outcome": RUNNING, "main": self.main})

    def progress(self, trial: Trial, progress: Mapping[str, Any]) -> None:
        """Notes how far a training is."""
        with contextlib.suppress(UpdateFinishedTrialError):  # taken from this main, as `finish` will say
            trial.set_user_attr("progress", dict(progress))

    def expect(self, trial: Trial, values: Sequence[float]) -> None:
        """Notes what a training that was stopped was on the way to: the sampler learns from it."""
        with contextlib.suppress(UpdateFinishedTrialError):  # taken from this main, as `finish` will say
            trial.set_user_attr(EXPECTED_VALUES, list(values))

    def finish(self, trial: Trial, record: Record) -> bool:
        """Keeps what became of a trial: its outcome and, where it was trained, costs and metrics.

        Returns:
            Whether it was kept: not where another main took this one for dead, and has ended the trial.
        """
        values = None
        if record["outcome"] == TRAINED:
            known = record["costs"] | record["metrics"]
            values = [float(known[objective.name]) for objective in self.definition.objectives]
        record = {"main": self.main} | record
        try:
            self._write(trial, record)
            self._study.tell(trial, values, state=_STATES[record["outcome"]])
        except (UpdateFinishedTrialError, ValueError):
            told = self.trials()[trial.number]
            if told.state == TrialState.RUNNING:
                raise
            # A storage that went away may have taken it all the same, and then refuses the second try.
            return record_of(told) == json.loads(json.dumps(record))
        return True

    def give_back(self, trial: Trial, record: Record) -> None:
        """Ends a trial that was interrupted; its design is tried again, unless the trial was over already."""
        if "outcome" not in record:
            self._again(trial, record)
            record = record | {"outcome": FAILED, "reason": INTERRUPTED}
        self.finish(trial, record)

    def reap(self) -> list[int]:
        """Ends the trials whose main died without a word; what it was training is tried again once.

        A trial that was over, and only not yet told as such, keeps its outcome.

        Returns:
            The numbers of those that were marked failed.
        """
        if self._lease is not None and self._lease.late:
            return []
        living = {main for main, beat in self._mains().items() if alive(beat)} | {self.main}
        failed = []
        for trial in self.trials(TrialState.RUNNING):
            record = record_of(trial)
            if self._held(trial.number, record.get("main"), living):
                continue
            if record.get("outcome") not in _STATES:
                failed.append(trial.number)
                record = record | {"outcome": FAILED, "reason": LOST}
                if record.get("attempt", 1) > 1:
                    record["reason"] = _LOST_AGAIN
                else:
                    self._again(trial, record, attempt=2 if "seed" in record else 1)
            self.finish(Trial(self._study, trial._trial_id), record)
        return failed

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """All trials by number, or those in one of the states."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def finished(self) -> list[Record]:
        """The records of the trainings that came to their end."""
        return [record_of(trial) for trial in self.trials(TrialState.COMPLETE)]

    def front(self) -> list[tuple[int, Record]]:
        """The designs that none other dominates: see `nas.standing.front`."""
        return front(self.trials(), self.definition.objectives)

    @property
    def repriced(self) -> set[int]:
        """The numbers of the trials whose costs are known from Core ML conversion."""
        keys = (key.partition(":") for key in self._study.user_attrs)
        return {int(number) for name, _, number in keys if name == "repriced" and number}

    @property
    def confirmed(self) -> set[int]:
        """The numbers of the trials whose designs are confirmed, if only by one training."""
        return confirmed.numbers(self._study.user_attrs)

    def reprice(self, number: int, costs: Mapping[str, Any]) -> None:
        """Keeps the costs of a trial from Core ML conversion."""
        self._study.set_user_attr(f"repriced:{number}", dict(costs))

    def confirmation(self, number: int) -> list[dict[str, Any]]:
        """The trainings that confirm the design of a trial so far: see `nas.confirmed.trainings`."""
        return confirmed.trainings(self._study.user_attrs, number)

    def confirm(self, number: int, training: Mapping[str, Any]) -> None:
        """Keeps a training that confirms the design of a trial; it says its "seed" and "steps"."""
        self._study.set_user_attr(confirmed.key(number, training["steps"], training["seed"]), dict(training))

    def take_confirmation(self, number: int, steps: int, seed: int) -> bool:
        """Whether this main is to train a design for its confirmation: not where another one is at it."""
        key = f"confirming:{number}:{steps}:{seed}"
        taken = self._study.user_attrs.get(key)
        beat = self._mains().get(taken) if taken is not None else None
        if taken != self.main and beat is not None and alive(beat):
            return False
        self._study.set_user_attr(key, self.main)
        return True

    def _write(self, trial: Trial, record: Record) -> None:
        trial.set_user_attr("record", record)

    def _again(self, trial: Trial | FrozenTrial, record: Record, attempt: int = 1) -> None:
        """Has a trial's design tried again, if it isn't to be already: one enqueued, or suggested whole."""
        trials = self.trials()
        known = trials[trial.number]
        parameters = known.system_attrs.get("fixed_params", known.params if "hash" in record else None)
        waits = any(other.user_attrs.get(claims.AGAIN_OF) == trial.number for other in trials)
        if parameters is None or waits:
            return
        attributes = {key: known.user_attrs[key] for key in _LASTING if key in known.user_attrs}
        attributes |= {claims.AGAIN_OF: trial.number} | ({"attempt": attempt} if attempt > 1 else {})
        self.enqueue(parameters, **attributes)

    def _mains(self) -> dict[str, dict[str, Any]]:
        attributes = self._study.user_attrs.items()
        return {key.removeprefix(_MAIN): beat for key, beat in attributes if key.startswith(_MAIN)}

    def _held(self, number: int, main: str | None, living: set[str]) -> bool:
        """Whether a living main is at a trial, or may be: one just asked for has no name in it yet."""
        if main is not None:
            return main in living
        if living == {self.main}:
            return False
        seen = self._unclaimed.setdefault(number, time.monotonic())
        return time.monotonic() - seen < LEASE_S


def _wait_for_definition(study: optuna.Study) -> None:
    """Gives who made a study at this very moment the time to define it; others leave that to it."""
    deadline = time.monotonic() + _DEFINED_S
    while "study" not in study.user_attrs and not study.trials and time.monotonic() < deadline:
        time.sleep(_POLL_S)
