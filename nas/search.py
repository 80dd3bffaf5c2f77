"""`nas search`: everything from a request to a study whose front is priced from Core ML conversion."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial

import torch
import yaml

from nas import claims
from nas.allocator import keep_freed_memory
from nas.checked_request import CheckedRequest
from nas.clips import Clips
from nas.confirmation import Confirmation
from nas.constraints import why_refused
from nas.costs.tables.space_costs import SpaceCosts
from nas.definition import Definition
from nas.expectation import expected
from nas.inputs import describe, digest, fitting_clips, fitting_space
from nas.judging import Judge
from nas.loop import Loop
from nas.material import prepare
from nas.material_file import cached_material
from nas.pricing import pricer, reprice_front
from nas.request import SHIPPED_PRIOR, Request
from nas.run_directory import RunDirectory
from nas.sampling.prior import Prior
from nas.sampling.sampler import CostAwareSampler
from nas.search_error import SearchError
from nas.search_log import logging_to
from nas.settings import Settings, load_settings
from nas.study import Study
from nas.teachers import Teacher, load_teacher
from nas.trial import Job
from nas.watcher import Watcher
from nas.workers import Workers, machine
from nas.workers.local import LocalWorkers
from search_space.counting import plural
from search_space.errors import without_password

_TIMED = 3  # designs of which a few steps are timed to say what a search will take


def search(asked: CheckedRequest, watcher: Watcher | None = None) -> RunDirectory:
    """Searches, or continues a search.

    Args:
        asked: what is asked for, as `nas.checked_request.check` returns it.
        watcher: hears how it goes.

    Returns:
        The run's folder.

    Raises:
        UserError: something asked for is wrong; nothing was trained.
        SearchError: several trials in a row failed, or the storage or the disk did.
        KeyboardInterrupt: finished trials are kept; those that it interrupts are tried again on continuing.
    """
    watcher = watcher or Watcher()
    request, objectives, constraints, run = asked.request, asked.objectives, asked.constraints, asked.run
    deadline = None if request.seconds is None else time.monotonic() + request.seconds
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        keep_freed_memory()
        torch.set_num_threads(1)
    settings = asked.settings or load_settings("gpu" if device == "cuda" else "cpu")

    teacher = load_teacher(
        request.teacher,
        weights=request.weights,
        device=device,
        own_footage=request.data is not None or request.storage is not None,
    )
    watcher.say(f"teacher {teacher.name}: {teacher.weights.description}")
    space = fitting_space(asked.space, teacher)
    clips = fitting_clips(request.data, settings.clips, teacher, request.seed)
    for line in describe(clips):
        watcher.say(line)
    definition = Definition(
        teacher=teacher.name,
        weights=asdict(teacher.weights),
        footage=digest(clips),
        device=request.device,
        device_digest=asked.profile.digest,
        resolution=request.resolution,
        frames=request.frames,
        memory=request.memory,
        preset=settings.name,
        settings=settings.of_search(),
        seed=request.seed,
        objectives=objectives,
        constraints=tuple(str(constraint) for constraint in constraints),
        space=space.to_dict(),
    )
    price = pricer(request, "trace")
    costs = SpaceCosts(
        space,
        asked.profile,
        request.resolution,
        request.frames,
        memory=request.memory,
        progress=partial(watcher.progress, "pricing the parts of designs"),
    )
    if request.constraints or request.memory:  # a while, where none meets them
        watcher.say(f"looking for designs that meet {', '.join(map(str, constraints))}")
    shipped = request.prior == SHIPPED_PRIOR
    prior = Prior.shipped(definition.weights["digest"]) if shipped else asked.prior
    sampler = CostAwareSampler(space, costs.costs, objectives, constraints, request.seed, prior)

    if request.storage is None:
        run.create()  # for SQLite; a storage elsewhere that can't be opened leaves no folder behind
    study = Study.open(request.storage or run.storage, run.name, definition, watcher.say)
    run.create()
    facts = {"run": str(run.path.resolve()), "budget": request.budget, "deadline": _at(deadline)}
    with logging_to(run.log), study.at_work(**facts):
        run.write_text("settings.yaml", yaml.safe_dump(settings.to_dict(), sort_keys=False))
        for number in study.reap():
            watcher.say(f"trial {number}: its process ended")
        missing = request.budget - claims.spent(study.trials())
        if missing > 0 or request.confirm:
            job = Job(run.material, settings.proxy, teacher.name, definition.weights)
            ceiling = _material(run, teacher, clips, settings, definition)
            del teacher  # and what it holds of the GPU's memory, which is the workers' now
            torch.cuda.empty_cache()
            sources = [str(source) for source in clips.sources]
            study.note(run=facts["run"], sources=sources, teacher_psnr=ceiling)
            if prior is not None:
                known = plural(len(prior.configs), "training")
                study.note_prior(f"{without_password(str(request.prior))}, {known}")
            watcher.say(f"the teacher itself reaches {ceiling:.2f} dB on the validation clips")
            judge = Judge(study, space, price, constraints, job)
            with closing(_workers(request, job, run, watcher)) as workers:
                if missing > 0:
                    meeting = [one for one in sampler.beginning if not why_refused(constraints, price(one))]
                    watcher.say(expected(study, missing, workers, settings, meeting[:_TIMED]))
                    loop = Loop(study, judge, settings, workers, run, sampler, request.stop_early, watcher)
                    loop.run(request.budget, deadline)
                if request.confirm:
                    confirmation = Confirmation(study, settings, workers, run, watcher)
                    confirmation.run(request.confirm, deadline)
        reprice_front(study, pricer(request, "coreml"), watcher)
    return run


def _material(
    run: RunDirectory, teacher: Teacher, clips: Clips, settings: Settings, definition: Definition
) -> float:
    """Has the run's folder hold what designs are trained on; returns what the teacher reaches, dB."""
    with_features = settings.training.feature_weight > 0
    made_of = {
        "footage": definition.footage,
        "weights": definition.weights["digest"],
        "teacher": definition.teacher,
        "with_features": with_features,
        "device": teacher.device.type,
    }
    try:
        return cached_material(
            run.material, made_of, lambda: prepare(teacher, clips, with_features=with_features)
        )
    except OSError as error:
        raise SearchError(f"{run.material} can't be written: {error.strerror}") from None


def _workers(request: Request, job: Job, run: RunDirectory, watcher: Watcher) -> Workers:
    """Those asked for; says so where this machine could do with more."""
    if request.ray is not None:
        from nas.workers.ray import RayWorkers

        return RayWorkers(request.ray, job, request.workers)
    devices = machine.gpus()
    cores = machine.cores()
    if request.workers is None and not devices and cores > 1:
        watcher.say(f"one worker trains, on one of {cores} cores: --workers {cores} uses them all")
    size = request.workers or len(devices) or 1
    return LocalWorkers(job, machine.environments(size, devices), run.log)


def _at(deadline: float | None) -> str | None:
    """What the clock will show at a time of `time.monotonic()`, in UTC."""
    if deadline is None:
        return None
    left = timedelta(seconds=deadline - time.monotonic())
    return (datetime.now(UTC) + left).isoformat(timespec="seconds")
