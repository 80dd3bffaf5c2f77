"""The loop itself: what counts, what is free, and what goes wrong without ending it."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import Trial, TrialState
from safetensors.torch import load_file

from nas import claims
from nas.constraints import parse_constraints
from nas.costs import estimate, load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.definition import Definition
from nas.expectation import expected
from nas.judging import Judge
from nas.loop import Loop
from nas.material import Material
from nas.material_file import cached_material
from nas.record import INTERRUPTED, STOPPED, TRAINED, Record, record_of
from nas.run_directory import RunDirectory
from nas.sampling.sampler import CostAwareSampler
from nas.sampling.trials import EXPECTED_VALUES
from nas.search_error import SearchError
from nas.settings import load_settings
from nas.stopping import CHANCE, FINISHED
from nas.study import Study
from nas.trial import Job
from nas.watcher import Watcher
from nas.workers import Workers
from nas.workers.local import LocalWorkers
from search_space import DecoderConfig, SearchSpace, build_decoder


class Listener(Watcher):
    """Keeps what it hears, and may interrupt the first training from a number on."""

    def __init__(self, interrupt_at: int | None = None) -> None:
        self.said: list[str] = []
        self.outcomes: list[str] = []
        self.interrupt_at = interrupt_at

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self, number: int, done: int, steps: int) -> None:
        if self.interrupt_at is not None and number >= self.interrupt_at and done == 2:
            raise KeyboardInterrupt

    def finished(self, number: int, record: Record, front: list[tuple[int, Record]]) -> None:
        self.outcomes.append(record["outcome"])


@cache
def price(config: DecoderConfig) -> dict[str, Any]:
    costs = estimate(config, resolution=(64, 64), frames=5, source="trace").to_dict()
    del costs["stages"]
    return costs


@pytest.fixture
def make_loop(
    tmp_path: Path,
    small_space: str,
    small_settings: str,
    material: Material,
    definition: Definition,
    thread_workers: Callable[[Job], Workers],
) -> Callable[..., Loop]:
    """Builds a loop, always on the same study."""
    (tmp_path / "settings.yaml").write_text(small_settings)
    settings = load_settings(tmp_path / "settings.yaml")
    run = RunDirectory(tmp_path / "run", "run")
    run.create()
    cached_material(run.material, {}, lambda: material)

    def make(
        learning_rate: float = 1e-3,
        steps: int = 4,
        constraints: tuple[str, ...] = (),
        space: str = small_space,
        watcher: Watcher | None = None,
    ) -> Loop:
        (tmp_path / "space.yaml").write_text(space)
        designs = SearchSpace.load(tmp_path / "space.yaml")
        training = settings.training.model_copy(update={"learning_rate": learning_rate, "steps": steps})
        used = settings.model_copy(update={"training": training})
        terms = replace(definition, settings=used.to_dict(), constraints=constraints, space=designs.to_dict())
        study = Study.open(run.storage, "run", terms)
        study.reap()
        job = Job(run.material, used.proxy, "tiny", terms.weights)
        limits = parse_constraints(constraints)
        costs = SpaceCosts(designs, load_device("iphone-16-pro"), (64, 64), 5).costs
        return Loop(
            study=study,
            judge=Judge(study, designs, price, limits, job),
            settings=used,
            workers=thread_workers(job),
            run_directory=run,
            sampler=CostAwareSampler(designs, costs, terms.objectives, limits),
            watcher=watcher or Watcher(),
        )

    return make


def test_a_trained_trial_leaves_its_record_and_its_files(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop()
    loop.run(budget=1, deadline=None)
    ((number, record),) = loop.study.front()
    trial = loop.study.trials()[number]
    config = DecoderConfig.from_dict(record["config"])
    assert trial.values == [record["metrics"]["psnr"], record["costs"]["latency_ms"]]
    assert record["costs"]["params"] == sum(p.numel() for p in build_decoder(config).parameters())
    assert record["proxy"]["params"] < record["costs"]["params"]
    assert [step for step, _ in record["curve"]] == [2, 4]
    assert list(record["seconds"]) == ["price", "build", "train", "validate", "write"]

    folder = loop.run_directory.trial(number)
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "metrics.json", "curve.csv", "weights.safetensors", "frames.png"
    }  # fmt: skip
    assert DecoderConfig.load(folder / "config.json") == config
    weights = load_file(folder / "weights.safetensors")
    build_decoder(loop.judge.job.trained(config)).load_state_dict(weights, strict=True)


def test_a_budget_counts_trainings_and_the_earlier_ones(make_loop: Callable[..., Loop]) -> None:
    make_loop().run(budget=2, deadline=None)
    loop = make_loop()
    loop.run(budget=3, deadline=None)
    assert trained(loop) == 3


def test_what_breaks_a_constraint_is_refused_for_free(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop(constraints=("params>=30K",))
    loop.run(budget=3, deadline=None)
    refused, *_ = map(record_of, loop.study.trials())
    assert refused["outcome"] == "refused"
    assert refused["reason"] == "params is 13379, not >= 30000"
    assert "metrics" not in refused
    assert trained(loop) == 3
    assert all(record["costs"]["params"] >= 30_000 for _, record in loop.study.front())


def test_a_small_space_is_tried_whole_and_nothing_twice_by_the_same_seed(
    small_space: str, make_loop: Callable[..., Loop]
) -> None:
    narrower = small_space
    for before, after in (("[16, 24]", "[16]"), ("[8, 16]", "[8]"), ("[1, 2]", "[1]"), (", dw3", "")):
        narrower = narrower.replace(before, after)
    narrower = narrower.replace("blocks: [0, 1]", "blocks: [1]", 2)
    listener = Listener()
    loop = make_loop(space=narrower, watcher=listener)
    loop.run(budget=99, deadline=None)
    trainings = [(record["hash"], record["seed"]) for record in loop.study.finished()]
    assert len({design for design, _ in trainings}) == loop.judge.space.size == 2
    assert len(set(trainings)) == len(trainings)
    assert listener.said[-1] == f"every design was tried: {len(trainings)} trained"


def test_failures_have_reasons_and_end_a_hopeless_search(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop(learning_rate=1e30)
    with pytest.raises(SearchError, match=r"the last 5 trainings all failed: .*the loss is nan at step 2"):
        loop.run(budget=9, deadline=None)
    assert expected(loop.study, 9, loop.workers, loop.settings, [loop.judge.space.first]) == (
        "expected: 9 trainings; how long they take will show"
    )
    outcomes = Counter(record["outcome"] for record in finished(loop))
    assert outcomes["failed"] == 5
    assert set(outcomes) <= {"failed", "repeated"}
    assert not list(loop.run_directory.path.glob("trials/*"))


def trained(loop: Loop) -> int:
    """Trainings that are finished."""
    return claims.spent(loop.study.trials())


def finished(loop: Loop) -> list[Record]:
    """What is known of the trials that came to an end; others were only asked for."""
    return [record for trial in loop.study.trials() if "outcome" in (record := record_of(trial))]


def finish_better_ones(loop: Loop) -> int:
    """Has the study hold trainings that beat anything these tests can train, at no cost; returns how many."""
    rng = np.random.default_rng(0)
    configs = {config.hash: config for config in (loop.judge.space.sample(rng) for _ in range(99))}
    for number, config in enumerate(list(configs.values())[:FINISHED]):
        loop.study.enqueue(loop.judge.space.parameters(config))
        trial = loop.study.ask()
        loop.judge.space.suggest(trial)
        record = {
            "outcome": TRAINED,
            "hash": config.hash,
            "costs": price(config) | {"latency_ms": 1e-3},
            "metrics": {"psnr": 40.0 + number, "ssim": 0.9},
            "curve": [[2, 30.0 + number], [4, 40.0 + number]],
            "seconds": {"train": 1.0},
        }
        loop.study.finish(trial, record)
    return FINISHED


def test_what_would_stay_dominated_is_stopped(make_loop: Callable[..., Loop]) -> None:
    listener = Listener()
    loop = make_loop(watcher=listener)
    finished = finish_better_ones(loop)
    loop.run(budget=finished + 1, deadline=None)
    (stopped,) = (trial for trial in loop.study.trials() if record_of(trial).get("outcome") == STOPPED)
    record = record_of(stopped)
    assert stopped.state == TrialState.PRUNED
    assert [step for step, _ in record["curve"]] == [2]
    assert record["stopped"]["psnr"] == record["curve"][0][1]
    assert 0 <= record["stopped"]["chance"] < CHANCE
    assert "metrics" not in record
    assert stopped.user_attrs[EXPECTED_VALUES][1] == record["costs"]["latency_ms"]
    folder = loop.run_directory.trial(stopped.number)
    assert {path.name for path in folder.iterdir()} == {"config.json", "curve.csv"}
    assert listener.said[-1].startswith("1 training stopped early: about 0.0 min saved")


def test_trains_to_the_end_what_it_may_not_stop(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop()
    loop.stop_early = False
    finished = finish_better_ones(loop)
    loop.run(budget=finished + 1, deadline=None)
    assert [record_of(trial)["outcome"] for trial in loop.study.trials()].count(TRAINED) == finished + 1


def test_an_interrupt_keeps_what_is_finished_and_tries_the_rest_again(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop(watcher=Listener(interrupt_at=1))
    with pytest.raises(KeyboardInterrupt):
        loop.run(budget=3, deadline=None)
    assert trained(loop) == 1
    cut_off = finished(loop)[-1]
    assert (cut_off["outcome"], cut_off["reason"]) == ("failed", INTERRUPTED)

    loop = make_loop()
    loop.run(budget=12, deadline=None)
    hashes = [record_of(t)["hash"] for t in loop.study.trials() if record_of(t)["outcome"] == "trained"]
    assert cut_off["hash"] in hashes


def test_an_interrupt_in_asking_keeps_what_was_asked_for(
    make_loop: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = make_loop()
    loop.study.enqueue(loop.judge.space.parameters(loop.judge.space.first))

    def interrupted(self: SearchSpace, trial: Trial) -> DecoderConfig:
        trial.suggest_categorical("patch_size", self.patch_size)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SearchSpace, "suggest", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.run(budget=1, deadline=None)
    first, *waiting = loop.study.trials()
    assert waiting[-1].system_attrs["fixed_params"] == first.system_attrs["fixed_params"]


def test_no_training_begins_after_the_deadline(make_loop: Callable[..., Loop]) -> None:
    listener = Listener()
    loop = make_loop(watcher=listener)
    loop.run(budget=3, deadline=time.monotonic() - 1)
    assert listener.said == ["out of time after 0 of 3 trainings"]


def test_what_its_worker_dies_of_is_tried_twice(
    make_loop: Callable[..., Loop], worker_processes: Callable[[int], set[int]]
) -> None:
    class Killer(Listener):
        """Kills the worker of the first trial twice, and that of the second once."""

        def __init__(self) -> None:
            super().__init__()
            self.victims = [0, 0, 1]

        def step(self, number: int, done: int, steps: int) -> None:
            if done == 1 and self.victims and self.victims[0] == number:
                self.victims.pop(0)
                (worker,) = worker_processes(os.getpid())
                os.kill(worker, signal.SIGKILL)

    loop = make_loop(watcher=Killer(), steps=100)  # so many that it is killed on the way
    with closing(LocalWorkers(loop.judge.job, [{}], loop.run_directory.log)) as loop.workers:
        loop.run(budget=1, deadline=None)
    twice, once = finished(loop)
    assert (twice["outcome"], twice["attempt"]) == ("failed", 2)
    assert "killed by SIGKILL" in twice["reason"]
    assert (once["outcome"], once["attempt"]) == ("trained", 2)


def test_a_trial_that_cannot_be_written_ends_the_search_and_is_tried_again(
    make_loop: Callable[..., Loop],
) -> None:
    loop = make_loop()
    trials = loop.run_directory.path / "trials"
    trials.rmdir()
    trials.touch()
    with pytest.raises(SearchError, match=r"trial 0 can't be written to .* continues$"):
        loop.run(budget=1, deadline=None)
    assert trained(loop) == 0

    trials.unlink()
    loop = make_loop()
    loop.run_directory.create()
    loop.run(budget=1, deadline=None)
    (again,) = loop.study.finished()
    assert again["hash"] == finished(loop)[0]["hash"]
