"""The record of a trial: all that is known of it, as the study keeps it.

Its "outcome" is "claimed" (about to be trained) or "running", and in the end one of: "trained"; "stopped"
(early, since it would have stayed dominated; its curve is kept); "refused" (by a constraint, say); "repeated"
(the same design as an earlier trial); "failed". The last three have a "reason".
"""

from __future__ import annotations

from typing import Any

from optuna.trial import FrozenTrial

Record = dict[str, Any]

TRAINED, STOPPED, REFUSED, REPEATED = "trained", "stopped", "refused", "repeated"
FAILED, RUNNING, CLAIMED = "failed", "running", "claimed"

# Reasons of trials whose design was enqueued again.
INTERRUPTED = "interrupted"
LOST = "its process ended during the training; tried again"
OVER_BUDGET = "others had begun what was left of the budget"
ENQUEUED_AGAIN = (INTERRUPTED, LOST, OVER_BUDGET)


def record_of(trial: FrozenTrial) -> Record:
    """What is known of a trial; empty where it was enqueued and not begun."""
    return trial.user_attrs.get("record", {})


def outcome_of(trial: FrozenTrial) -> str | None:
    """What became of a trial so far; None where nothing did."""
    return record_of(trial).get("outcome")
