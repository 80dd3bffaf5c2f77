"""What mains may begin, by what they see of each other's claims."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from nas import claims

STATES = {
    "claimed": TrialState.RUNNING,
    "running": TrialState.RUNNING,
    "trained": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "refused": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def trials(*records: str | dict[str, Any]) -> list[FrozenTrial]:
    """One trial a record, whose design is its number unless the record says otherwise."""
    found = []
    for number, given in enumerate(records):
        record = {"outcome": given} if isinstance(given, str) else given
        state = STATES[record["outcome"]]
        trial = optuna.trial.create_trial(
            state=state,
            value=0.0 if state == TrialState.COMPLETE else None,
            user_attrs={"record": {"hash": str(number)} | record},
        )
        trial.number = number
        found.append(trial)
    return found


def test_only_trainings_are_spent() -> None:
    everything = trials("trained", "stopped", "refused", "failed", "running", "claimed")
    assert claims.spent(everything) == 2
    assert claims.under_way(everything) == 2


def test_the_lower_number_waits_and_goes_first() -> None:
    both = trials("trained", "claimed", "claimed")
    assert claims.undecided(both, 1)
    assert not claims.undecided(both, 2)
    assert claims.over_budget(both, 2, budget=2)
    assert not claims.over_budget(both, 1, budget=2)


def test_what_has_begun_counts_whatever_its_number() -> None:
    assert claims.over_budget(trials("trained", "claimed", "running"), 1, budget=2)


def test_of_two_claims_on_a_design_the_later_is_the_repeat() -> None:
    both = trials({"outcome": "claimed", "hash": "x"}, {"outcome": "claimed", "hash": "x"})
    assert claims.tried(both, 0) == {}
    assert claims.tried(both, 1) == {"x": 0}
    assert claims.trainings(both, 0, "x") == 0
    assert claims.trainings(both, 1, "x") == 1


def test_a_design_that_was_enqueued_again_is_not_tried() -> None:
    cut_off = {"outcome": "failed", "hash": "x", "reason": "interrupted"}
    refused = {"outcome": "refused", "hash": "y", "reason": "params"}
    assert claims.tried(trials(cut_off, refused), -1) == {"y": 1}
