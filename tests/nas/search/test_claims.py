"""What mains may begin, by what they see of each other's claims."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from nas import claims
from nas.record import LOST

STATES = {
    "claimed": TrialState.RUNNING,
    "running": TrialState.RUNNING,
    "trained": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "refused": TrialState.PRUNED,
    "repeated": TrialState.PRUNED,
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


def test_the_earlier_of_two_claims_is_no_repeat_of_its_repeat() -> None:
    later = {"outcome": "repeated", "hash": "x", "reason": "the same design as trial 0"}
    assert claims.tried(trials({"outcome": "claimed", "hash": "x"}, later), 0) == {}


def test_a_design_whose_repeat_was_refused_is_tried_again_once_it_was_cut_off() -> None:
    cut_off = {"outcome": "failed", "hash": "x", "reason": "interrupted"}
    repeat = {"outcome": "repeated", "hash": "x", "reason": "the same design as trial 0"}
    again = {"outcome": "claimed", "hash": "x"}
    assert claims.tried(trials(cut_off, repeat, again), 2) == {}


def test_of_two_that_stand_for_one_that_was_cut_off_the_first_is_trained() -> None:
    cut_off, first, second = everything = trials(
        {"outcome": "failed", "hash": "x", "reason": LOST}, {"outcome": "claimed", "hash": "x"}, "claimed"
    )
    for trial in (first, second):
        trial.set_user_attr("again_of", cut_off.number)
        trial.set_user_attr("repeat_of", 7)  # which is trained whatever was tried before
    assert claims.first_of(everything, first.number, "x", first.user_attrs) is None
    assert claims.first_of(everything, second.number, "x", second.user_attrs) == first.number


def test_no_two_trainings_of_a_design_share_a_seed() -> None:
    first = {"outcome": "trained", "hash": "x", "seed": 5}
    claim = {"outcome": "claimed", "hash": "x"}
    both = trials(first, claim, claim)
    assert claims.free_seed(both, 2, "x", 5) == 7
    decided = trials(first, claim, {"outcome": "running", "hash": "x", "seed": 7})
    assert claims.free_seed(decided, 1, "x", 5) == 6
    assert claims.free_seed(decided, 1, "another", 5) == 5


def test_a_design_that_was_enqueued_again_is_not_tried() -> None:
    cut_off = {"outcome": "failed", "hash": "x", "reason": "interrupted"}
    refused = {"outcome": "refused", "hash": "y", "reason": "params"}
    assert claims.tried(trials(cut_off, refused), -1) == {"y": 1}
