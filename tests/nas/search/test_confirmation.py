"""The designs that a search ends with, trained again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis import load_study
from nas.cli import app
from nas.confirmation import Confirmation
from nas.definition import Definition
from nas.material import Material
from nas.material_file import cached_material
from nas.record import TRAINED, Record
from nas.run_directory import RunDirectory
from nas.settings import Settings, load_settings
from nas.study import Study
from nas.trial import Job
from nas.watcher import Watcher
from nas.workers import Workers
from search_space import SearchSpace

SEEDS = (10_003, 10_004)  # for a study whose own seed is 3


class Listener(Watcher):
    """Keeps what it hears, and may interrupt once so many trainings are finished."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.said: list[str] = []
        self.heard: list[int] = []
        self.interrupt_after = interrupt_after

    def say(self, text: str) -> None:
        self.said.append(text)

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        self.heard.append(number)
        if len(self.heard) == self.interrupt_after:
            raise KeyboardInterrupt


@pytest.fixture
def run(tmp_path: Path, material: Material) -> RunDirectory:
    run = RunDirectory(tmp_path / "run", "run")
    run.create()
    cached_material(run.material, {}, lambda: material)
    return run


@pytest.fixture
def settings(tmp_path: Path, small_settings: str) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_text(f"{small_settings}confirmation: {{times: 2, seeds: 2}}\n")
    return load_settings(path)


@pytest.fixture
def study(
    tmp_path: Path, small_space: str, settings: Settings, run: RunDirectory, definition: Definition
) -> Study:
    """Three designs of a small space as a search would have trained them; the third is dominated."""
    path = tmp_path / "space.yaml"
    path.write_text(small_space)
    space = SearchSpace.load(path)
    terms = replace(definition, settings=settings.of_search(), seed=3, space=space.to_dict())
    study = Study.open(run.storage, "run", terms)
    rng = np.random.default_rng(0)
    for psnr, latency in ((20.0, 10.0), (15.0, 5.0), (14.0, 20.0)):
        config = space.sample(rng)
        record = {
            "outcome": TRAINED,
            "hash": config.hash,
            "config": config.to_dict(),
            "costs": {"latency_ms": latency},
            "metrics": {"psnr": psnr, "ssim": 0.5},
            "seconds": {"build": 0.1, "train": 60.0, "validate": 0.1},
        }
        study.finish(study.ask(), record)
    return study


@pytest.fixture
def workers(
    run: RunDirectory, settings: Settings, thread_workers: Callable[[Job], Workers]
) -> Iterator[Workers]:
    workers = thread_workers(Job(run.material, settings.proxy, "tiny", {"description": "nowhere"}))
    yield workers
    workers.close()


def test_trains_the_front_again_longer_and_by_other_seeds(
    study: Study, settings: Settings, workers: Workers, run: RunDirectory
) -> None:
    listener = Listener()
    Confirmation(study, settings, workers, run, listener).run(2, deadline=None)
    assert listener.said == ["confirming 2 designs: 4 trainings of 8 steps, 8.0 min in all"]
    assert study.confirmation(2) == []
    table = load_study(run.path)
    for number in (0, 1):
        confirmed = study.confirmation(number)
        assert [(one["seed"], one["steps"]) for one in confirmed] == [(seed, 8) for seed in SEEDS]
        psnr = [one["metrics"]["psnr"] for one in confirmed]
        assert psnr[0] != psnr[1]
        assert table.loc[number, "confirmed.psnr"] == fmean(psnr)
        assert [step for step, _ in confirmed[0]["curve"]] == [2, 4, 6, 8]
        assert (run.confirmation(number, 8, SEEDS[0]) / "weights.safetensors").is_file()


def test_goes_on_where_it_was_interrupted(
    study: Study, settings: Settings, workers: Workers, run: RunDirectory
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Confirmation(study, settings, workers, run, Listener(interrupt_after=1)).run(1, deadline=None)
    first = study.confirmation(0) or study.confirmation(1)
    assert len(first) == 1

    listener = Listener()
    Confirmation(study, settings, workers, run, listener).run(1, deadline=None)
    assert len(listener.heard) == 1
    Confirmation(study, settings, workers, run, listener).run(1, deadline=None)
    assert len(listener.heard) == 1  # there was nothing left to do

    shorter = settings.model_copy(
        update={"confirmation": settings.confirmation.model_copy(update={"times": 1})}
    )
    Confirmation(study, shorter, workers, run, listener).run(1, deadline=None)
    assert len(listener.heard) == 3  # those of another length don't count, and are kept
    (number,) = set(listener.heard)
    assert [(one["seed"], one["steps"]) for one in study.confirmation(number)] == [
        (seed, steps) for seed in SEEDS for steps in (4, 8)
    ]
    assert all(run.confirmation(number, steps, seed).is_dir() for seed in SEEDS for steps in (4, 8))


def test_begins_no_training_after_the_deadline(
    study: Study, settings: Settings, workers: Workers, run: RunDirectory
) -> None:
    listener = Listener()
    Confirmation(study, settings, workers, run, listener).run(1, deadline=time.monotonic() - 1)
    assert listener.said[-1] == "out of time with 2 trainings left of the confirmation"


def test_leaves_to_another_living_main_what_it_is_at(
    study: Study, settings: Settings, workers: Workers, run: RunDirectory
) -> None:
    other = Study.open(run.storage, "run", study.definition)
    with other.at_work():
        assert all(other.take_confirmation(0, 8, seed) for seed in SEEDS)
        Confirmation(study, settings, workers, run, Watcher()).run(2, deadline=None)
        assert study.confirmation(0) == []
        assert study.confirmation(1)
    Confirmation(study, settings, workers, run, Watcher()).run(2, deadline=None)
    assert study.confirmation(0)


def test_a_training_that_fails_is_said_and_the_rest_goes_on(
    study: Study, settings: Settings, workers: Workers, run: RunDirectory
) -> None:
    wild = settings.training.model_copy(update={"learning_rate": 1e30})
    listener = Listener()
    hopeless = settings.model_copy(update={"training": wild})
    Confirmation(study, hopeless, workers, run, listener).run(1, deadline=None)
    failed = [text for text in listener.said if "failed" in text]
    assert len(failed) == 2
    assert "the loss is nan at step" in failed[0]


def test_a_finished_search_only_confirms_when_it_is_asked_to(in_small: Callable[..., list[str]]) -> None:
    searched = CliRunner().invoke(app, in_small("--name", "small", "--budget", "2"))
    assert searched.exit_code == 0, searched.output
    confirmed = CliRunner().invoke(app, in_small("--name", "small", "--budget", "2", "--confirm", "2"))
    assert confirmed.exit_code == 0, confirmed.output
    assert "confirming 2 designs: 4 trainings of 16 steps" in confirmed.stderr
    table = load_study("runs/small")
    trained = table[table["outcome"] == "trained"]
    assert len(trained) == 2
    assert trained["confirmed"].all()
    assert set(trained["source"]) == {"coreml"}  # also of what is confirmed and not on the front
