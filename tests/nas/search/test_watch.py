"""A search, watched from another process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_a_search_is_watched_to_its_end(in_small: Callable[..., list[str]]) -> None:
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    nas = [sys.executable, "-m", "nas"]
    search = [*nas, *in_small("--out", "here", "--budget", "3")]
    with subprocess.Popen(
        search, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("[1/3]"):
                break
        watched = subprocess.run([*nas, "watch", "here"], capture_output=True, text=True, env=environment)
        run.communicate()
    assert run.returncode == 0
    assert (watched.returncode, watched.stderr) == (0, "")
    *_, last = watched.stdout.splitlines()
    assert last.startswith("no process searches now: 3 trainings, 3 trained")
