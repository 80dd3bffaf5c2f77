"""Who counts as living."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nas.leases import LEASE_S, Lease, alive


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


@pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="processes' start times are read from /proc"
)
def test_another_process_of_the_same_number_is_not_the_one() -> None:
    assert not alive(beat_of(process_started="1"))


@pytest.mark.parametrize(("seconds", "living"), [(LEASE_S - 30, True), (LEASE_S + 5, False)])
def test_elsewhere_only_silence_tells(seconds: float, living: bool) -> None:
    assert alive(beat_of(host="another", beat=ago(seconds))) == living
