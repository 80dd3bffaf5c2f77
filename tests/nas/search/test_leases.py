"""Who counts as living."""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nas import leases
from nas.leases import LEASE_S, Lease, alive

reads_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="what a process is at is read from /proc"
)


def beat_of(**changes: Any) -> dict[str, Any]:
    """A beat of this very process."""
    beats: list[dict[str, Any]] = []
    with Lease(beats.append, {"budget": 3}):
        pass
    return beats[0] | changes


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_this_process_lives() -> None:
    beat = beat_of()
    assert alive(beat)
    assert beat["budget"] == 3


def test_one_that_ended_properly_says_so() -> None:
    beats: list[dict[str, Any]] = []
    with Lease(beats.append, {}):
        pass
    assert not alive(beats[-1])


def test_a_process_that_is_gone_is_dead_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert not alive(beat_of(process=process.pid))


@reads_proc
def test_a_killed_process_is_dead_before_its_parent_asks() -> None:
    code = """if True:
        import json, nas.leases
        with nas.leases.Lease(lambda beat: print(json.dumps(beat), flush=True), {}):
            input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        beat = json.loads(process.stdout.readline())
        assert alive(beat)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(beat)


@reads_proc
def test_another_process_of_the_same_number_is_not_the_one() -> None:
    assert not alive(beat_of(process_started="1"))


@pytest.mark.parametrize(("seconds", "living"), [(LEASE_S - 30, True), (LEASE_S + 5, False)])
def test_elsewhere_only_silence_tells(seconds: float, living: bool) -> None:
    assert alive(beat_of(host="another", beat=ago(seconds))) == living


def test_others_are_given_time_to_beat_again_after_a_storage_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.02)
    monkeypatch.setattr(leases, "_LATE_S", 0.4)
    there, back = threading.Event(), threading.Event()
    there.set()

    def write(beat: dict[str, Any]) -> None:
        if not there.is_set():
            raise OSError
        back.set()

    with Lease(write, {}) as lease:
        assert not lease.late
        there.clear()
        while not lease.late:
            time.sleep(0.01)
        back.clear()
        there.set()
        back.wait()
        time.sleep(0.1)  # some beats
        assert lease.late
        while lease.late:
            time.sleep(0.01)
