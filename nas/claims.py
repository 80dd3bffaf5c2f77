"""How several mains on one study agree on who trains what, with no more than its storage to talk through.

Whoever wants to train a design first writes a claim into its trial, and only then reads those of others; so
of two claims at least one main sees both. The lower number goes first: it waits until claims of higher
numbers are decided, which never wait for it. Then its view is complete, and it counts what has begun and what
is claimed by lower numbers (Lamport's bakery, Communications of the ACM 17, 1974; trial numbers are tickets).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from nas.record import (
    CLAIMED,
    ENQUEUED_AGAIN,
    REPEATED,
    RUNNING,
    STOPPED,
    TRAINED,
    outcome_of,
    record_of,
)
from nas.sampling.sampler import REPEAT_OF

AGAIN_OF = "again_of"
"""User attribute of a trial whose design was enqueued again: the number of the one that was cut off."""


def spent(trials: Sequence[FrozenTrial]) -> int:
    """Trainings that are over, stopped ones included: what a budget counts."""
    return sum(trial.state.is_finished() and outcome_of(trial) in (TRAINED, STOPPED) for trial in trials)


def under_way(trials: Sequence[FrozenTrial]) -> int:
    """Trainings that have begun or are about to, by any main."""
    return sum(_begun(trial) or _claimed(trial) for trial in trials)


def undecided(trials: Sequence[FrozenTrial], number: int) -> bool:
    """Whether a claim of a higher number than this trial's may still become a training."""
    return any(_claimed(trial) and trial.number > number for trial in trials)


def over_budget(trials: Sequence[FrozenTrial], number: int, budget: int) -> bool:
    """Whether others come first to what is left of the budget, once no higher claim is undecided."""
    ahead = [trial for trial in trials if _begun(trial) or (_claimed(trial) and trial.number < number)]
    return spent(trials) + len(ahead) >= budget


def first_of(
    trials: Sequence[FrozenTrial], number: int, design: str, attributes: Mapping[str, Any]
) -> int | None:
    """The number of the trial because of which that of this number, of a design, needn't be trained.

    None where it is to be trained, as where it repeats one on purpose. But of several that stand for one that
    was cut off, as where two mains noticed that at the same time, the first is trained and the others aren't.

    Args:
        trials: of the study.
        number: of the trial.
        design: its hash.
        attributes: the trial's user attributes.
    """
    again_of = attributes.get(AGAIN_OF)
    if again_of is not None:
        first = next(trial.number for trial in trials if trial.user_attrs.get(AGAIN_OF) == again_of)
        if first < number:
            return first
    return None if REPEAT_OF in attributes else tried(trials, number).get(design)


def tried(trials: Sequence[FrozenTrial], number: int) -> dict[str, int]:
    """The hash of every design that needs no trial of this number, with the first trial's number.

    Repeats don't count: each points to a trial that does, unless that one's design was enqueued again.
    """
    hashes: dict[str, int] = {}
    for trial in trials:
        record = record_of(trial)
        if trial.number == number or "hash" not in record or record.get("outcome") == REPEATED:
            continue
        if record.get("reason") in ENQUEUED_AGAIN:
            continue
        if not _claimed(trial) or trial.number < number:
            hashes.setdefault(record["hash"], trial.number)
    return hashes


def free_seed(trials: Sequence[FrozenTrial], number: int, design: str, first: int) -> int:
    """The lowest seed from `first` on that no other training of a design has, or is about to take.

    Lower claims take theirs first, and higher ones are decided: so no two trainings share a seed.
    """
    others = [trial for trial in trials if trial.number != number and record_of(trial).get("hash") == design]
    taken = {
        record_of(trial).get("seed", first)
        for trial in others
        if _begun(trial) or outcome_of(trial) in (TRAINED, STOPPED)
    }
    ahead = sum(_claimed(trial) and trial.number < number for trial in others)
    return next(islice((seed for seed in count(first) if seed not in taken), ahead, None))


def _begun(trial: FrozenTrial) -> bool:
    """Whether it is being trained, or was and is only not yet told as such."""
    return trial.state == TrialState.RUNNING and outcome_of(trial) in (RUNNING, TRAINED, STOPPED)


def _claimed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING and outcome_of(trial) == CLAIMED
