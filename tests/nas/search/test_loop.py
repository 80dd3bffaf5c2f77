"""The loop itself: what counts, what is free, and what goes wrong without ending it."""

import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import Trial
from safetensors.torch import load_file

from nas import claims
from nas.constraints import parse_constraints
from nas.costs import estimate, load_device
from nas.costs.tables.space_costs import SpaceCosts
from nas.definition import Definition
from nas.expectation import expected
from nas.loop import Loop
from nas.material import Material
from nas.material_file import cached_material
from nas.objectives import parse_objectives
from nas.record import INTERRUPTED, Record, record_of
from nas.run_directory import RunDirectory
from nas.sampling.sampler import CostAwareSampler
from nas.search_error import SearchError
from nas.settings import load_settings
from nas.study import Study
from nas.trial import Job
from nas.watcher import Watcher
from nas.workers import Workers
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
        constraints: tuple[str, ...] = (),
        space: str = small_space,
        watcher: Watcher | None = None,
    ) -> Loop:
        (tmp_path / "space.yaml").write_text(space)
        designs = SearchSpace.load(tmp_path / "space.yaml")
        training = settings.training.model_copy(update={"learning_rate": learning_rate})
        used = settings.model_copy(update={"training": training})
        definition = Definition(
            teacher="tiny",
            weights={"kind": "path", "description": "weights from nowhere"},
            footage="",
            device="iphone-16-pro",
            device_digest="",
            resolution=(64, 64),
            frames=5,
            memory=None,
            preset="small",
            settings=used.to_dict(),
            seed=0,
            objectives=parse_objectives("psnr,latency_ms"),
            constraints=constraints,
            space=designs.to_dict(),
        )
        study = Study.open(run.storage, "run", definition)
        study.reap()
        job = Job(run.material, used.proxy, "tiny", definition.weights)
        limits = parse_constraints(constraints)
        costs = SpaceCosts(designs, load_device("iphone-16-pro"), (64, 64), 5).costs
        return Loop(
            study=study,
            space=designs,
            price=price,
            constraints=limits,
            job=job,
            settings=used,
            workers=thread_workers(job),
            run_directory=run,
            sampler=CostAwareSampler(designs, costs, definition.objectives, limits),
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
    build_decoder(loop.job.trained(config)).load_state_dict(weights, strict=True)


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
    assert len({design for design, _ in trainings}) == loop.space.size == 2
    assert len(set(trainings)) == len(trainings)
    assert listener.said[-1] == f"every design was tried: {len(trainings)} trained"


def test_failures_have_reasons_and_end_a_hopeless_search(make_loop: Callable[..., Loop]) -> None:
    loop = make_loop(learning_rate=1e30)
    with pytest.raises(SearchError, match=r"the last 5 trainings all failed: .*the loss is nan at step 2"):
        loop.run(budget=9, deadline=None)
    assert expected(loop.study, 9, loop.workers, loop.settings, [loop.space.first]) == (
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
    loop.study.enqueue(loop.space.parameters(loop.space.first))

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
