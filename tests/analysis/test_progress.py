"""How far a search is, and what `nas watch` shows of it."""

import io
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from study_writer import study_record, trained

from analysis import load_study
from analysis.progress import progress
from nas.cli.watch import screen, sparkline

UNDER_WAY = {
    "outcome": "running",
    "hash": "r",
    "name": "[bold]a name",
    "costs": {"latency_ms": 123.0},
    "worker": 1,
    "progress": {"step": 50, "steps": 100, "curve": [[25, 18.0], [50, 21.0]]},
}
STOPPED = {"outcome": "stopped", "reason": "too low", "hash": "s", "name": None, "seconds": {"train": 0.2}}


def beat(**changes: Any) -> dict[str, Any]:
    """The beat of a main process of another computer, which lives."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    process = {"host": "elsewhere", "namespace": "", "process": 1, "process_started": ""}
    return process | {"started": now, "beat": now, "budget": 10, "deadline": None} | changes


@pytest.fixture
def searching(run: Callable[..., Path]) -> Path:
    """A study of two trainings of 9.8 s, one that was stopped and one under way."""
    records = [trained(20.0, 50.0), trained(21.0, 90.0), STOPPED, UNDER_WAY]
    return run(records, attributes={"study": study_record(), "main:m": beat()})


def test_the_time_left_is_that_of_the_latest_trainings(searching: Path) -> None:
    now = progress(load_study(searching), budget=10)
    each = (9.8 + 9.8 + 0.2) / 3
    assert (now.spent, now.running) == (3, 1)
    assert now.per_hour == pytest.approx(3600 / each)
    assert now.seconds_left == pytest.approx((10 - 3 - 0.5) * each)


def test_before_the_first_training_nobody_knows(run: Callable[..., Path]) -> None:
    now = progress(load_study(run([])), budget=10)
    assert (now.spent, now.per_hour, now.seconds_left) == (0, None, None)


def test_the_screen_shows_front_and_trainings_under_way(searching: Path) -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(screen(load_study(searching)))
    shown = console.export_text()
    assert "3 of 10 trainings, 2 trained + 1 stopped + 1 running, front of 2" in shown
    assert "Stand-in teacher, not the real one" in shown
    assert "[bold]a name" in shown
    assert "50 of 100" in shown
    assert "21.00 ▁█" in shown
    assert "20.00" in shown


def test_a_curve_in_one_line() -> None:
    assert sparkline([1.0, 2.0, 8.0]) == "▁▂█"
    assert sparkline([5.0, 5.0]) == "▁▁"


def test_an_interrupt_leaves_quietly(searching: Path) -> None:
    command = [sys.executable, "-m", "nas", "watch", str(searching)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("3 of 10 trainings")
        watching.send_signal(signal.SIGINT)
        rest, errors = watching.communicate()
    assert (watching.returncode, rest, errors) == (0, "", "")


def test_it_ends_with_the_search(run: Callable[..., Path]) -> None:
    over = beat(ended=datetime.now(UTC).isoformat())
    folder = run([trained(20.0, 50.0)], attributes={"study": study_record(), "main:m": over})
    command = [sys.executable, "-m", "nas", "watch", str(folder)]
    watched = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert watched.stdout == "no process searches now: 1 training, 1 trained, front of 1\n"
