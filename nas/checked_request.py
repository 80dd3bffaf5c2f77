"""What can be found wrong with a request for a search before its teacher is loaded, and so within seconds.

Nothing here imports PyTorch: who mistyped an option should not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas.constraints import parse_constraints
from nas.costs.device import DeviceProfile, load_device
from nas.definition import check_terms
from nas.objectives import Objective, parse_objectives
from nas.request import SHIPPED_PRIOR, Request
from nas.run_directory import RunDirectory
from nas.settings import Settings, load_settings
from search_space.conditions import Condition
from search_space.errors import UserError
from search_space.space import SearchSpace

if TYPE_CHECKING:
    from nas.sampling.prior import Prior

_AUTO = "auto"


@dataclass(frozen=True)
class CheckedRequest:
    """A request in which nothing was found wrong, and what its texts stand for.

    Attributes:
        request: as it was asked.
        objectives: of the study.
        constraints: on static costs.
        profile: of the device that costs are for.
        settings: how designs are trained; None for what suits this machine.
        space: that designs are drawn from; None for the teacher's own.
        prior: trainings of another study; None where none were asked for, or the shipped ones.
        run: the run's folder, which may not be there yet.
    """

    request: Request
    objectives: tuple[Objective, ...]
    constraints: tuple[Condition, ...]
    profile: DeviceProfile
    settings: Settings | None
    space: SearchSpace | None
    prior: Prior | None
    run: RunDirectory


def check(request: Request, say: Callable[[str], None]) -> CheckedRequest:
    """Looks for what is wrong, in the order of what it takes to find it; makes no folder.

    Args:
        request: what is asked for.
        say: hears when a storage is away, and when it is back.

    Raises:
        UserError: the first thing found.
        SearchError: a storage went away, and stayed away.
    """
    _check_numbers(request)
    objectives = parse_objectives(request.objectives, request.latency_bound)
    # What fits in no mode of decoding can't run there, whoever asks for it.
    asked = dict.fromkeys((*request.constraints, "fits"))
    constraints = parse_constraints(tuple(asked), request.latency_bound)
    profile = load_device(request.device)
    settings = None if request.settings == _AUTO else load_settings(request.settings)
    space = None if request.space is None else _space(request.space)
    if request.data is not None:
        from nas.clips.footage import video_files

        video_files(request.data)
    run = _run_directory(request)
    run.check()
    prior = None
    if request.prior is not None and request.prior != SHIPPED_PRIOR:
        from nas.sampling.prior import prior_of_study

        prior = prior_of_study(request.prior, say)
    checked = CheckedRequest(request, objectives, constraints, profile, settings, space, prior, run)
    _check_storage(checked, say)
    if request.ray is not None:
        from nas.workers.ray import join

        join(request.ray)
    return checked


def _check_numbers(request: Request) -> None:
    if request.budget < 1:
        raise UserError(f"budget {request.budget}: a number of trainings, at least 1")
    if not 0 <= request.seed < 2**32:
        raise UserError(f"seed {request.seed}: a whole number from 0 to {2**32 - 1}")
    if request.confirm < 0:
        raise UserError(f"confirm {request.confirm}: a number of designs, or 0 for none")
    if request.workers is not None and request.workers < 1:
        raise UserError(f"workers {request.workers}: a whole number from 1")
    if request.frames < 1:
        raise UserError(f"frames {request.frames}: a number of video frames, at least 1")


def _space(name: str) -> SearchSpace:
    """A preset by name, or a YAML file by path."""
    return SearchSpace.preset(name) if name in SearchSpace.presets() else SearchSpace.load(name)


def _check_storage(checked: CheckedRequest, say: Callable[[str], None]) -> None:
    """Sees that the storage can be opened, and that a study in it has the terms that are known already."""
    request, run = checked.request, checked.run
    if request.storage is None and not (run.path / "study.db").is_file():
        return  # it is made in the run's folder, and that not before a search begins
    import optuna

    from nas.migration import migrated
    from nas.storage import open_storage

    storage = open_storage(request.storage or run.storage, say)
    try:
        known = optuna.load_study(study_name=run.name, storage=storage).user_attrs.get("study")
    except KeyError:  # there is none of that name
        return
    if known is None:
        return  # `nas.study.Study.open` tells one that was cut off from one of others
    terms = {
        "teacher": request.teacher,
        "device": request.device,
        "device_digest": checked.profile.digest,
        "resolution": list(request.resolution),
        "frames": request.frames,
        "memory": request.memory,
        "settings": {} if checked.settings is None else checked.settings.of_search(),
        "seed": request.seed,
        "objectives": [objective.to_dict() for objective in checked.objectives],
        "constraints": [str(constraint) for constraint in checked.constraints],
    }
    check_terms(migrated(known, run.name), terms, run.name)


def _run_directory(request: Request) -> RunDirectory:
    """The run's folder; the study has the name asked for, or else that of the folder or of the teacher."""
    if request.name is not None:
        named = RunDirectory.named(request.name)
    else:
        named = RunDirectory.after(request.out or Path(request.teacher))
    return named if request.out is None else RunDirectory(request.out, named.name)
