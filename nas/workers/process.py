"""A worker process of this machine: `python -m nas.workers.process FD`, started by `nas.workers.local`.

It trains what comes through the pipe, and ends when the pipe does: so it never outlives the search, however
that ended.
"""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from nas.workers.protocol import training_error


def serve(connection: Connection) -> None:
    """Takes a `nas.trial.Job` and then its tasks; answers with progress, and an outcome or an error each."""
    received: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, received), daemon=True).start()
    job = received.get()
    trainer = None
    while True:
        task = received.get()
        try:
            if trainer is None:
                from nas.trial import Trainer  # takes seconds, while the pipe is watched already

                trainer = Trainer(job)
            connection.send(trainer.train(task, connection.send))
        except Exception as error:
            connection.send(training_error(error))


def _receive(connection: Connection, received: SimpleQueue[Any]) -> None:
    while True:
        try:
            received.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # the search is over, or was killed: nobody waits for the training under way


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
