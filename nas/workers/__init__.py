"""Who trains the designs of a search: processes of this machine, or of a cluster."""

from nas.workers.protocol import (
    Outcome,
    Progress,
    Task,
    TrainingError,
    WorkerLostError,
    Workers,
    training_error,
)

__all__ = [
    "Outcome",
    "Progress",
    "Task",
    "TrainingError",
    "WorkerLostError",
    "Workers",
    "training_error",
]
