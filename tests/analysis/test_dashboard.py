"""optuna-dashboard opens the storage of a search, as the README says."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

EXAMPLE = Path(__file__).parents[2] / "benchmarks" / "studies" / "wan-h200" / "study.db"


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[str]:
    """The address of a dashboard on a copy of the example study."""
    copy = shutil.copy(EXAMPLE, tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("optuna-dashboard")
    with subprocess.Popen([command, f"sqlite:///{copy}", "--port", str(port), "--quiet"]) as process:
        yield f"http://127.0.0.1:{port}"
        process.kill()


def _answer(url: str) -> dict:
    """What the server says, once it has started."""
    for _ in range(600):
        try:
            with urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except URLError:
            time.sleep(0.1)
    raise TimeoutError(url)


def test_shows_a_study(dashboard: str) -> None:
    (listed,) = _answer(f"{dashboard}/api/studies")["study_summaries"]
    assert listed["study_name"] == "wan-h200"
    assert listed["directions"] == ["maximize", "minimize"]
    study = _answer(f"{dashboard}/api/studies/{listed['study_id']}")
    assert len(study["trials"]) == 101
    assert len(study["best_trials"]) == 15
