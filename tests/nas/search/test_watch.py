"""A search, watched from another process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A storage of the kind that the test is parametrised with; "" for the run's own folder."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return str(tmp_path / "study.log") if request.param == "journal" else ""


@pytest.mark.parametrize(
    "storage",
    ["folder", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("postgres", "journal"))],
    indirect=True,
)
def test_a_search_is_watched_to_its_end(in_small: Callable[..., list[str]], storage: str) -> None:
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    nas = [sys.executable, "-m", "nas"]
    elsewhere = ["--storage", storage] if storage else []
    study = storage or "here"
    search = [*nas, *in_small("--out", "here", "--budget", "3", *elsewhere)]
    with subprocess.Popen(
        search, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("[1/3]"):
                break
        front = subprocess.run([*nas, "pareto", study], capture_output=True, text=True, env=environment)
        watched = subprocess.run([*nas, "watch", study], capture_output=True, text=True, env=environment)
        run.communicate()
    assert run.returncode == 0
    assert (front.returncode, front.stderr) == (0, "")
    assert "Provisional front of here" in front.stdout
    assert (watched.returncode, watched.stderr) == (0, "")
    *_, last = watched.stdout.splitlines()
    assert last.startswith("no process searches now: 3 trainings, 3 trained")
