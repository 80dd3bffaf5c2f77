"""Workers of this machine: one process a GPU, or a share of the cores.

Each is a process of its own, also where there is only one: a design that crashes it, or exhausts the memory,
ends a training and not the search.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Pipe
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from nas.workers.protocol import Outcome, Progress, Task, TrainingError, WorkerLostError

if TYPE_CHECKING:
    from nas.trial import Job

_PROCESS = [sys.executable, "-m", "nas.workers.process"]


class LocalWorkers:
    """Processes that are started with the first task, and again when one dies."""

    def __init__(self, job: Job, environments: Sequence[Mapping[str, str]], log: Path) -> None:
        """Makes one worker an environment.

        Args:
            job: what all trainings have in common.
            environments: what each process has in its environment beside this one's.
            log: what the processes print is appended to it.
        """
        self.size = len(environments)
        self._workers = [_Worker(job, environment, log) for environment in environments]
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(self.size)  # one waits for each process

    def submit(self, task: Task, on_progress: Callable[[Progress], None]) -> Future[Outcome]:
        """See `nas.workers.Workers`."""
        return self._threads.submit(self._train, task, on_progress)

    def close(self) -> None:
        """See `nas.workers.Workers`."""
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(cancel_futures=True)

    def _train(self, task: Task, on_progress: Callable[[Progress], None]) -> Outcome:
        worker = self._free.get()
        try:
            return worker.train(task, on_progress)
        finally:
            self._free.put(worker)


class _Worker:
    """One process, and the pipe to it."""

    def __init__(self, job: Job, environment: Mapping[str, str], log: Path) -> None:
        self._job, self._log = job, log
        # A folder that Python was told of by other means than its environment is passed on too.
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def train(self, task: Task, on_progress: Callable[[Progress], None]) -> Outcome:
        """Has the process train, and waits for it."""
        try:
            if self._process is None:
                self._start()
            self._pipe.send(task)
            while isinstance(answer := self._pipe.recv(), Progress):
                on_progress(answer)
        except (EOFError, OSError):
            raise WorkerLostError(self._lost()) from None
        if isinstance(answer, TrainingError):
            raise answer
        return answer

    def end(self) -> None:
        """Ends the process for good."""
        self._ended = True
        if self._process is not None:
            self._process.kill()

    def _start(self) -> None:
        if self._ended:
            raise EOFError
        self._pipe, theirs = Pipe()
        with theirs, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_PROCESS, str(theirs.fileno())],
                env=self._environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # out of reach of a terminal's Ctrl-C, which is for the search to deal with
            )
        if self._ended:  # meanwhile, when there was nothing yet to be killed
            self._process.kill()
        self._pipe.send(self._job)

    def _lost(self) -> str:
        """How the process ended; the next task starts another."""
        if self._process is None:
            return "no worker process could be started"
        self._process.kill()  # it may have closed its pipe only
        status = self._process.wait()
        self._process = None
        self._pipe.close()
        if status == -signal.SIGKILL:
            return "its worker was killed by SIGKILL, as it happens where memory runs out"
        if status < 0:
            return f"its worker was killed by {signal.Signals(-status).name}"
        return f"its worker ended with status {status}"
