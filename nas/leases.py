"""Which of the processes that work on a study still live.

Every main process says so in the study every quarter of a minute. One that has been silent for two minutes,
or whose process is gone from this very machine, is dead, and others may take over what it was at. A wrong
verdict (a machine that slept, clocks two minutes apart) costs the training under way, never the study:
whatever a main still tells of a trial that was taken from it is refused by the storage.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

BEAT_S = 15.0
_LATE_S = 2 * BEAT_S
LEASE_S = 120.0  # of silence, after which a main is dead

logger = logging.getLogger(__name__)


class Lease:
    """Beats as long as its block is at work."""

    def __init__(self, write: Callable[[dict[str, Any]], None], facts: Mapping[str, Any]) -> None:
        """Prepares the beat.

        Args:
            write: keeps the beat in the study.
            facts: that the beat carries beside its own.
        """
        self._write = write
        self._beat = dict(facts) | _process() | {"started": _now()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name="lease", daemon=True)
        self._last: float | None = None  # by the monotonic clock
        self._regular = -math.inf  # since when no beat came late

    def __enter__(self) -> Self:
        self._say()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        with contextlib.suppress(Exception):  # without it, the process is missed soon enough
            self._write(self._beat | {"ended": _now()})

    @property
    def late(self) -> bool:
        """Whether this main could not beat of late itself, so that others may be silent and alive.

        Where a storage was away, all mains may look dead until each has beaten again.
        """
        now = time.monotonic()
        return self._overdue(now) or now - self._regular < _LATE_S

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._say()
            except Exception:  # the storage is away: the main thread says so, and waits or gives up
                logger.exception("the lease could not be renewed")

    def _say(self) -> None:
        began = time.monotonic()
        self._write(self._beat | {"beat": _now()})
        if time.monotonic() - began > BEAT_S:  # the storage was away, and the beat is an old one by now
            self._write(self._beat | {"beat": _now()})
        now = time.monotonic()
        if self._overdue(now):
            self._regular = now
        self._last = now

    def _overdue(self, now: float) -> bool:
        return self._last is not None and now - self._last > _LATE_S


def new_main() -> str:
    """A name for this main process, unlike any other's."""
    return secrets.token_hex(4)


def alive(beat: Mapping[str, Any]) -> bool:
    """Whether the main that wrote this beat may still live."""
    if "ended" in beat:
        return False
    silent = datetime.now(UTC) - datetime.fromisoformat(beat["beat"])
    if silent.total_seconds() > LEASE_S:
        return False
    here = _process()
    if any(beat[key] != here[key] for key in ("host", "namespace")):
        return True
    return _started(beat["process"]) == beat["process_started"]


def _process() -> dict[str, Any]:
    """What tells this process from all others, of this machine and elsewhere."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())  # containers may share a host's name
    except OSError:
        namespace = ""
    return {
        "host": socket.gethostname(),
        "namespace": namespace,
        "process": os.getpid(),
        "process_started": _started(os.getpid()),
    }


def _started(process: int) -> str | None:
    """When a process of this machine started, where the system tells; None where there is no such process."""
    try:
        # From the third field on; the second, the command in parentheses, may hold spaces.
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        # A zombie: killed, and its parent, such as a container's first process, hasn't asked how it ended.
        return None if state in "ZX" else fields[18]
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
