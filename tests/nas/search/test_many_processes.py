"""Several `nas search` processes on one study, some of them killed: nothing is lost."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from analysis import load_study
from nas.costs import estimate
from nas.storage import open_storage
from search_space import DecoderConfig

Arguments = Callable[..., list[str]]


class Searches:
    """Processes that work on one study, each in a run folder of its own."""

    def __init__(self, arguments: Arguments, storage: str, budget: int) -> None:
        self._arguments, self.storage, self._budget = arguments, storage, budget
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Starts one more; what it says is in `sayN`."""
        index = len(self.processes)
        run = ("--storage", self.storage, "--name", "many", "--out", f"run{index}")
        command = [sys.executable, "-m", "nas", *self._arguments("--budget", str(self._budget), *run)]
        paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
        with Path(f"say{index}").open("wb") as said:
            process = subprocess.Popen(
                command, stdout=said, stderr=said, env=os.environ | {"PYTHONPATH": paths}
            )
        self.processes.append(process)
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """What it said so far."""
        return Path(f"say{self.processes.index(process)}").read_text()

    def study(self) -> pd.DataFrame:
        return load_study(self.storage, "many")

    def wait_for(self, trained: int) -> None:
        """Waits until so many trainings are over, or no process is left to do them."""
        while any(process.poll() is None for process in self.processes):
            try:
                if self.study()["outcome"].isin(["trained", "stopped"]).sum() >= trained:
                    return
            except ValueError:  # the study isn't there yet
                pass
            time.sleep(0.2)
        raise AssertionError(self.said(self.processes[-1]))


@pytest.fixture
def searches(in_small: Arguments) -> Iterator[Callable[..., Searches]]:
    made: list[Searches] = []

    def make(storage: str, budget: int) -> Searches:
        made.append(Searches(in_small, storage, budget))
        return made[-1]

    yield make
    for process in (process for some in made for process in some.processes):
        process.kill()
        process.wait()


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A storage of the kind that the test is parametrised with."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return f"sqlite:///{tmp_path / 'study.db'}" if request.param == "sqlite" else str(tmp_path / "study.log")


@pytest.mark.parametrize(
    ("storage", "processes", "budget", "kills"),
    [
        ("postgres", 2, 8, 1),
        pytest.param("postgres", 4, 40, 2, marks=pytest.mark.slow),
        pytest.param("sqlite", 4, 40, 2, marks=pytest.mark.slow),
        pytest.param("journal", 4, 40, 2, marks=pytest.mark.slow),
    ],
    indirect=["storage"],
)
def test_killed_processes_lose_nothing_and_train_nothing_twice(
    searches: Callable[..., Searches], storage: str, processes: int, budget: int, kills: int
) -> None:
    running = searches(storage, budget)
    for _ in range(processes):
        running.start()
    for victim in range(kills):
        running.wait_for(trained=(victim + 1) * budget // 4)
        running.processes[victim].kill()
    for process in running.processes[kills:]:
        assert process.wait() == 0, running.said(process)
    resumed = running.start()
    assert resumed.wait() == 0, running.said(resumed)

    study = running.study()
    over = study[study["outcome"].isin(["trained", "stopped"])]
    assert len(over) == budget
    assert not over.duplicated(["hash", "seed"]).any()
    assert not (study["state"] == "RUNNING").any()
    cut_off = study[study["outcome"].isin(["failed", "interrupted"])]
    assert set(cut_off["hash"].dropna()) <= set(over["hash"]), list(cut_off["reason"])

    trained = study[study["outcome"] == "trained"].set_index("number")
    assert front_in_folders(trained) == front_in(storage)


@pytest.mark.slow
def test_a_search_goes_on_when_its_database_is_back(
    searches: Callable[..., Searches], postgres: Any, database: str
) -> None:
    running = searches(database, 8)
    process = running.start()
    running.wait_for(trained=2)
    postgres.stop()
    time.sleep(5.0)
    postgres.ensure_postgres_running()
    assert process.wait() == 0, running.said(process)
    assert "the storage is back" in running.said(process)
    study = running.study()
    assert (study["attempt"] == 1).all()
    assert study["outcome"].isin(["trained", "stopped"]).sum() == 8
    assert not (study["state"] == "RUNNING").any()


def front_in_folders(trained: pd.DataFrame) -> set[int]:
    """The front by what the folders of the trained trials say, wherever they are."""
    found = {int(path.parent.name): path.parent for path in Path().glob("run*/trials/*/metrics.json")}
    assert set(trained.index) <= set(found)
    assert all(
        Path(trained.at[number, "run"]) == found[number].parents[1].resolve() for number in trained.index
    )
    values = {number: values_in(found[number]) for number in trained.index}
    return {
        number for number, own in values.items() if not any(beats(other, own) for other in values.values())
    }


def values_in(folder: Path) -> tuple[float, float]:
    """PSNR and latency of a trial, from its folder."""
    psnr = json.loads((folder / "metrics.json").read_text())["metrics"]["psnr"]
    config = DecoderConfig.load(folder / "config.json")
    return psnr, estimate(config, "iphone-16-pro", (64, 64), 5, "trace").latency_ms


def beats(other: tuple[float, float], own: tuple[float, float]) -> bool:
    return other != own and other[0] >= own[0] and other[1] <= own[1]


def front_in(storage: str) -> set[int]:
    """The front by what the study holds."""
    study = optuna.load_study(study_name="many", storage=open_storage(storage, print))
    return {trial.number for trial in study.best_trials}
