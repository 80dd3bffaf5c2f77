"""`nas search`: everything from a request to a study whose front is priced from Core ML conversion."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from optuna.trial import TrialState

from nas.allocator import keep_freed_memory
from nas.candidates import Pricer, sampler, start_up
from nas.clips.footage import video_files
from nas.constraints import parse_constraints, why_refused
from nas.costs import estimate, load_device
from nas.costs.estimation import Source
from nas.inputs import describe, digest, fitting_clips, fitting_space, load_space
from nas.loop import Loop
from nas.material import prepare
from nas.objectives import parse_objectives
from nas.request import Request
from nas.run_directory import RunDirectory
from nas.settings import load_settings
from nas.study import Definition, Study, record_of
from nas.teachers import load_teacher
from nas.trial import Training
from nas.watcher import Watcher
from search_space import DecoderConfig
from search_space.errors import UserError

_TIMED = 3  # designs of which a few steps are timed to say what a search will take

logger = logging.getLogger(__name__)


def search(request: Request, watcher: Watcher | None = None) -> RunDirectory:
    """Searches, or continues a search.

    Args:
        request: what is asked for.
        watcher: hears how it goes.

    Returns:
        The run's folder.

    Raises:
        UserError: something asked for is wrong; nothing was trained.
        SearchError: several trials in a row failed.
        KeyboardInterrupt: finished trials are kept; the one it interrupts is tried again on continuing.
    """
    watcher = watcher or Watcher()
    deadline = None if request.seconds is None else time.monotonic() + request.seconds
    if request.budget < 1:
        raise UserError(f"budget {request.budget}: a number of trainings, at least 1")
    if not 0 <= request.seed < 2**32:
        raise UserError(f"seed {request.seed}: a whole number from 0 to {2**32 - 1}")
    objectives = parse_objectives(request.objectives, request.latency_bound)
    # What fits in no mode of decoding can't run there, whoever asks for it.
    asked = dict.fromkeys((*request.constraints, "fits"))
    constraints = parse_constraints(tuple(asked), request.latency_bound)
    profile = load_device(request.device)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        keep_freed_memory()
        # A second thread gains nothing on decoders this narrow, and waits in vain on a shared machine.
        torch.set_num_threads(1)
    automatic = "gpu" if device == "cuda" else "cpu"
    settings = load_settings(automatic if request.settings == "auto" else request.settings)
    run = _run_directory(request)
    space = load_space(request.space) if request.space is not None else None
    if request.data is not None:
        video_files(request.data)

    teacher = load_teacher(
        request.teacher,
        weights=request.weights,
        device=device,
        own_footage=request.data is not None or request.storage is not None,
    )
    watcher.say(f"teacher {teacher.name}: {teacher.weights.description}")
    space = fitting_space(space, teacher)
    clips = fitting_clips(request.data, settings.clips, teacher, request.seed)
    for line in describe(clips):
        watcher.say(line)
    definition = Definition(
        teacher=teacher.name,
        weights=asdict(teacher.weights),
        footage=digest(clips),
        device=request.device,
        device_digest=profile.digest,
        resolution=request.resolution,
        frames=request.frames,
        memory=request.memory,
        preset=settings.name,
        settings=settings.to_dict(),
        seed=request.seed,
        objectives=objectives,
        constraints=tuple(str(constraint) for constraint in constraints),
        space=space.to_dict(),
    )
    rng = np.random.default_rng(request.seed)
    price = _pricer(request, "trace")
    if request.constraints or request.memory:  # up to two minutes where none meets them
        watcher.say(f"looking for designs that meet {', '.join(map(str, constraints))}")
    beginning = start_up(space, price, constraints, rng)

    if request.storage is None:
        run.create()  # for SQLite; a storage elsewhere that can't be opened leaves no folder behind
    study = Study.open(request.storage or run.storage, run.name, definition)
    run.create()
    with _logging_to(run.log):
        run.write_text("settings.yaml", yaml.safe_dump(settings.to_dict(), sort_keys=False))
        if dead := study.retire_dead():
            watcher.say(f"{dead} trial(s) of a process that ended are marked failed")
        if not study.trials():
            for config in beginning:
                study.enqueue(space.parameters(config))
        study.sample_with(sampler(request.seed + len(study.trials())))
        if study.trained < request.budget:
            training = Training(
                material=prepare(teacher, clips, with_features=settings.training.feature_weight > 0),
                settings=settings,
                seed=request.seed,
                run=run,
                teacher=teacher.name,
                weights=definition.weights,
                price=price,
            )
            ceiling = training.material.teacher_psnr
            study.note(
                run=str(run.path.resolve()),
                sources=[str(source) for source in clips.sources],
                teacher_psnr=ceiling,
            )
            watcher.say(f"the teacher itself reaches {ceiling:.2f} dB on the validation clips")
            allowed = [config for config in beginning if why_refused(constraints, price(config)) is None]
            watcher.say(_expected(study, request.budget, training, allowed[:_TIMED]))
            Loop(study, space, price, constraints, training, rng, watcher).run(request.budget, deadline)
        _reprice_front(study, _pricer(request, "coreml"), watcher)
    return run


def _run_directory(request: Request) -> RunDirectory:
    """The run's folder; the study has the name asked for, or else that of the folder or of the teacher."""
    if request.name is not None:
        named = RunDirectory.named(request.name)
    else:
        named = RunDirectory.after(request.out or Path(request.teacher))
    return named if request.out is None else RunDirectory(request.out, named.name)


def _pricer(request: Request, source: Source) -> Pricer:
    """Static costs of a design as its record keeps them: without the table of stages."""

    @cache
    def price(config: DecoderConfig) -> dict[str, object]:
        clip = (request.resolution, request.frames)
        costs = estimate(config, request.device, *clip, source, memory=request.memory).to_dict()
        del costs["stages"]
        return costs | {"fps_low": request.frames / costs["latency_high_ms"] * 1e3}

    return price


def _expected(study: Study, budget: int, training: Training, configs: Sequence[DecoderConfig]) -> str:
    """How long it may take, from the study's earlier trainings or else from a few steps of some designs."""
    missing = budget - study.trained
    trained = map(record_of, study.trials(TrialState.COMPLETE))
    seconds = [sum(record["seconds"].values()) for record in trained]
    basis = f"the mean of {len(seconds)} earlier ones"
    if not seconds:
        seconds = [timed for timed in map(training.expected_seconds, configs) if timed is not None]
        basis = f"by a few steps of {len(seconds)} designs"
    if not seconds:
        return f"expected: {missing} trainings; how long they take will show"
    each = sum(seconds) / len(seconds)
    total = f"{missing * each / 60:.0f} min in all"
    return f"expected: {missing} trainings of about {each:.0f} s ({basis}), {total}"


def _reprice_front(study: Study, price: Pricer, watcher: Watcher) -> None:
    """Prices the front again from Core ML conversion, as far as that wasn't done yet."""
    waiting = [trial for trial in study.front() if str(trial.number) not in study.repriced]
    if waiting:
        watcher.say(f"pricing {len(waiting)} design(s) of the front again, from their conversion to Core ML")
    for trial in waiting:
        try:
            study.reprice(trial.number, price(DecoderConfig.from_dict(record_of(trial)["config"])))
        except Exception as error:  # coremltools fails on it, or can't be loaded: the trace price stays
            logger.exception("trial %d could not be priced from Core ML conversion", trial.number)
            watcher.say(f"trial {trial.number} keeps its price from the trace: {error}")


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Has what this package logs, tracebacks above all, written to a file."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("nas")
    package.addHandler(handler)
    propagated, package.propagate = package.propagate, False
    try:
        yield
    finally:
        package.propagate = propagated
        package.removeHandler(handler)
        handler.close()
