"""Worker processes: they train as this process would, are replaced, and never outlive the search."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from nas.material import Material
from nas.material_file import cached_material
from nas.settings import load_settings
from nas.trial import Job
from nas.workers import Progress, Task, TrainingError, WorkerLostError, Workers
from nas.workers.local import LocalWorkers
from nas.workers.machine import environments
from search_space import DecoderConfig, Stage

CONFIG = DecoderConfig(
    latent_channels=16,
    stages=(
        Stage(16, 1, "dw3"),
        Stage(16, 0, "spatial"),
        Stage(16, 1, "spatial", "nearest"),
        Stage(16, 0, "spatial", "nearest", doubles_time=True),
        Stage(8, 0, "spatial", "nearest", doubles_time=True),
    ),
)

# A search in short: it says which process its worker is, and is killed without a warning.
SEARCH = """
import os, pickle, signal, sys
from pathlib import Path
from nas.workers.local import LocalWorkers

job, task = pickle.loads(bytes.fromhex(sys.argv[1]))
workers = LocalWorkers(job, [{}], Path("log"))

def killed(progress):
    os.kill(os.getpid(), signal.SIGKILL)

workers.submit(task, killed).result()
"""


@pytest.fixture
def job(tmp_path: Path, material: Material, small_settings: str) -> Job:
    (tmp_path / "settings.yaml").write_text(small_settings)
    path = tmp_path / "material.safetensors"
    cached_material(path, {}, lambda: material)
    return Job(path, None, "tiny", {"description": "weights from nowhere"})


@pytest.fixture
def task(job: Job) -> Task:
    settings = load_settings(job.material.with_name("settings.yaml"))
    return Task(7, CONFIG.to_dict(), 3, settings.training)


@pytest.fixture
def workers(job: Job) -> Iterator[LocalWorkers]:
    workers = LocalWorkers(job, environments(1, []), job.material.with_name("log"))
    yield workers
    workers.close()


def endless(task: Task) -> Task:
    """A training that doesn't end by itself."""
    return replace(task, training=task.training.model_copy(update={"steps": 20_000}))


def test_a_process_trains_as_this_one_would(
    workers: LocalWorkers, task: Task, job: Job, thread_workers: Callable[[Job], Workers]
) -> None:
    steps: list[Progress] = []
    outcome = workers.submit(task, steps.append).result()
    assert [progress.step for progress in steps] == [1, 2, 3, 4]
    assert [point[0] for point in steps[-1].curve] == [2, 4]
    here = thread_workers(job).submit(task, lambda progress: None).result()
    assert outcome.record["metrics"] == here.record["metrics"]
    assert outcome.files["weights.safetensors"] == here.files["weights.safetensors"]


def test_a_failure_says_why_and_where(workers: LocalWorkers, task: Task) -> None:
    wild = task.training.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(TrainingError, match="the loss is nan at step 2") as error:
        workers.submit(replace(task, training=wild), lambda progress: None).result()
    assert "nas/distil.py" in error.value.details


def test_a_process_that_is_killed_is_replaced(
    workers: LocalWorkers, task: Task, worker_processes: Callable[[int], set[int]]
) -> None:
    news: SimpleQueue[Progress] = SimpleQueue()
    lost = workers.submit(endless(task), news.put)
    news.get()
    (process,) = worker_processes(os.getpid())
    os.kill(process, signal.SIGKILL)
    with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
        lost.result()
    assert workers.submit(task, lambda progress: None).result().record["outcome"] == "trained"


def test_closing_ends_what_is_under_way(
    workers: LocalWorkers, task: Task, worker_processes: Callable[[int], set[int]]
) -> None:
    news: SimpleQueue[Progress] = SimpleQueue()
    cut_off = workers.submit(endless(task), news.put)
    news.get()
    workers.close()
    with pytest.raises(WorkerLostError):
        cut_off.result()
    assert not worker_processes(os.getpid())


def test_workers_die_with_a_search_that_is_killed(
    job: Job, task: Task, tmp_path: Path, worker_processes: Callable[[int], set[int]]
) -> None:
    given = pickle.dumps((job, endless(task))).hex()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", SEARCH, given], cwd=tmp_path, env=environment) as search:
        orphans: set[int] = set()
        while search.poll() is None:
            orphans |= worker_processes(search.pid)
            time.sleep(0.05)
    assert search.returncode == -signal.SIGKILL
    assert orphans
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{orphan}").exists() for orphan in orphans) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{orphan}").exists() for orphan in orphans)
