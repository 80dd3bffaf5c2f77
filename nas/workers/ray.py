"""Workers of a Ray cluster: one actor a GPU, or a CPU where the cluster has no GPUs.

Only designs, curves and a trial's files travel. The material goes once to Ray's object store, from where each
node takes its copy, so that nodes need share no disk. Where an actor is lost, with its node or alone, another
is placed as soon as there is room for it, and the search submits again what was being trained.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nas.search_error import GOES_ON, SearchError
from nas.workers.last_words import LastWords
from nas.workers.protocol import Outcome, Progress, Task, TrainingError, WorkerLostError, training_error
from search_space.errors import UserError, first_line

try:
    import ray
except ModuleNotFoundError:
    raise UserError("--ray needs Ray: pip install 'nas-video-decoders[ray]'") from None

if TYPE_CHECKING:
    from nas.trial import Job

_PATIENCE_S = 5.0  # for the cluster's head to answer
_POLL_S = 1.0  # between two questions how far a training is
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"  # a client's greeting, RFC 9113, 3.4
_SETTINGS = 4  # the type of the frame that the server answers with


class RayWorkers:
    """Actors that are placed wherever the cluster has room."""

    def __init__(self, address: str, job: Job, size: int | None = None) -> None:
        """Joins the cluster and asks for the actors.

        Args:
            address: "auto" on a node of the cluster, HOST:PORT of its head, or ray://HOST:PORT from outside.
            job: what all trainings have in common.
            size: actors; None for as many as the cluster has GPUs, or else CPUs.

        Raises:
            UserError: no cluster answers at that address, or it has nothing free to train on.
        """
        join(address)
        resources = ray.cluster_resources()
        on_gpus = resources.get("GPU", 0) >= 1
        self.size = size or int(resources.get("GPU" if on_gpus else "CPU", 0))
        if self.size < 1:
            raise UserError(
                f"the Ray cluster at '{address}' has neither GPUs nor CPUs: start a node with some"
            )
        actor = ray.remote(_Actor).options(
            num_cpus=0 if on_gpus else 1, num_gpus=int(on_gpus), max_concurrency=2
        )
        material = ray.put(job.material.read_bytes())
        self._start: Callable[[], Any] = lambda: actor.remote(job, material)
        self._actors: set[Any] = set()
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._threads = ThreadPoolExecutor(self.size)  # one waits for each training
        self._closed = False
        self._lost = f"the Ray cluster at '{address}' was lost; {GOES_ON}"
        for _ in range(self.size):
            self._add()
        # The last of all: whoever is told of an error above has nothing to close.
        self._last_words = LastWords(f"nas: killed, or {self._lost}")

    def submit(self, task: Task, on_progress: Callable[[Progress], None]) -> Future[Outcome]:
        """See `nas.workers.Workers`."""
        return self._threads.submit(self._train, task, on_progress)

    def close(self) -> None:
        """See `nas.workers.Workers`."""
        self._closed = True
        with suppress(Exception):  # where the cluster is lost, so are they
            for actor in list(self._actors):
                ray.kill(actor)
        for _ in range(self.size):
            self._free.put(None)  # whoever waits for an actor that was never placed
        self._threads.shutdown(cancel_futures=True)  # before Ray's: its calls then end the thread they are in
        with suppress(Exception):
            ray.shutdown()
        self._last_words.close()

    def _add(self) -> None:
        """Has one more actor placed, which is free once it runs."""
        actor = self._start()
        self._actors.add(actor)
        actor.progress.remote().future().add_done_callback(lambda _: self._free.put(actor))

    def _train(self, task: Task, on_progress: Callable[[Progress], None]) -> Outcome:
        actor = self._free.get()
        try:
            result = actor.train.remote(task)
            over: list[Any] = []
            while not over:
                over, _ = ray.wait([result], timeout=_POLL_S)
                for progress in ray.get(actor.progress.remote()):
                    on_progress(progress)
            answer: Outcome | TrainingError = ray.get(result)
        except Exception as error:  # the actor's end, or that of the connection
            self._actors.discard(actor)
            if not self._closed:
                self._replace()
            raise WorkerLostError(f"its Ray actor was lost: {_cause(error)}") from None
        self._free.put(actor)
        if isinstance(answer, TrainingError):
            raise answer
        return answer

    def _replace(self) -> None:
        try:
            self._add()
        except Exception:  # Ray's own, of many classes: nobody is there to place an actor
            raise SearchError(self._lost) from None


class _Actor:
    """A trainer in a process of the cluster; asked for its progress from a second thread."""

    def __init__(self, job: Job, material: bytes) -> None:
        from nas.trial import Trainer

        self._progress: SimpleQueue[Progress] = SimpleQueue()
        with tempfile.TemporaryDirectory() as folder:  # what is mapped into memory outlives the file
            path = Path(folder) / job.material.name
            path.write_bytes(material)
            self._trainer = Trainer(replace(job, material=path))

    def train(self, task: Task) -> Outcome | TrainingError:
        try:
            return self._trainer.train(task, self._progress.put)
        except Exception as error:
            return training_error(error)

    def progress(self) -> list[Progress]:
        """What is new since the last call."""
        return [self._progress.get() for _ in range(self._progress.qsize())]


def _cause(error: Exception) -> str:
    """One line: the first, or the last of the traceback where the actor could not even start."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if "creation task" in lines[0] else lines[0]


def join(address: str) -> None:
    """Connects to the cluster, if that wasn't done before.

    Raises:
        UserError: nothing answers there, or not as Ray does; Ray itself would try for minutes.
    """
    if ray.is_initialized():
        return
    if address != "auto":
        try:
            _greet(*_host_and_port(address))
        except OSError as error:
            raise UserError(f"no Ray cluster answers at '{address}': {error.strerror or error}") from None
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"Ray cluster at '{address}': {first_line(error)}") from None


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        if parts.scheme in ("", "ray") and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:  # no number for a port
        pass
    raise UserError(f"Ray address '{address}': auto, HOST:PORT of the head, or ray://HOST:PORT")


def _greet(host: str, port: int) -> None:
    """Sees that a server speaks HTTP/2, which gRPC goes over.

    Raises:
        OSError: it doesn't, or there is none.
    """
    with socket.create_connection((host, port), timeout=_PATIENCE_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return  # it would close the connection
        connection.sendall(_PREFACE)
        answer = connection.recv(4)
    if len(answer) < 4 or answer[3] != _SETTINGS:
        raise OSError("what listens there is not the head of a cluster, whose port is 6379 by default")
