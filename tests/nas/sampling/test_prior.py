"""Trainings known before a search."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from nas.objectives import parse_objectives
from nas.record import STOPPED, TRAINED
from nas.sampling.pool import Pricer
from nas.sampling.prior import Prior, prior_of_study
from nas.sampling.sampler import CostAwareSampler
from search_space import SearchSpace
from search_space.design_arrays import draw
from search_space.errors import UserError


def test_the_shipped_table_gives_trainings_of_one_teacher() -> None:
    prior = Prior.shipped("of no teacher in it")
    assert len(prior.configs) == len(prior.quality["psnr"]) > 100
    assert np.isfinite(prior.quality["psnr"]).all()


def test_a_study_gives_what_it_trained(space: SearchSpace, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(storage=storage, directions=["maximize", "minimize"])
    for outcome, psnr in ((TRAINED, 21.0), (STOPPED, 17.0), (TRAINED, 22.0)):
        record = {"outcome": outcome, "config": space.first.to_dict(), "metrics": {"psnr": psnr}}
        study.ask().set_user_attr("record", record)
    for source in (storage, str(tmp_path), str(tmp_path / "study.db")):
        prior = prior_of_study(source, print)
        assert prior.configs == [space.first] * 2
        assert prior.quality["psnr"].tolist() == [21, 22]
        assert np.isnan(prior.quality["ssim"]).all()


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"prior '.*/nowhere\.log': there is no .*give 'shipped'"):
        prior_of_study(str(tmp_path / "nowhere.log"), print)
    with pytest.raises(UserError, match="there is no"):
        prior_of_study(str(tmp_path), print)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(UserError, match="nothing was trained in it"):
        prior_of_study(f"sqlite:///{tmp_path}/empty.db", print)
    assert (tmp_path / "empty.db").stat().st_size == 0
    (tmp_path / "notes").write_text("of something else")
    with pytest.raises(UserError, match=r"prior '.*notes': "):
        prior_of_study(str(tmp_path / "notes"), print)


@pytest.fixture(scope="module")
def informed(
    space: SearchSpace, costs: Pricer, quality: Callable[[np.ndarray], np.ndarray]
) -> CostAwareSampler:
    """Told of trainings by a teacher whose quality is on another scale."""
    rng = np.random.default_rng(0)
    designs = draw(space, rng, 100)
    known = 3 + 0.5 * quality(designs) + rng.normal(0, 0.05, 100)
    prior = Prior([space.at(design) for design in designs], {"psnr": known, "ssim": np.full(100, np.nan)})
    return CostAwareSampler(space, costs, parse_objectives("psnr,latency_ms"), prior=prior)


def share_of_the_best(trials: list[FrozenTrial]) -> float:
    """Of upsamplers the share that is of the best kind, of three."""
    upsamplers = [trial.params[f"{stage}_upsampler"] for trial in trials for stage in ("up1", "up2", "up3")]
    return float(np.mean([name == "nearest" for name in upsamplers]))


def test_a_prior_on_another_scale_makes_the_first_proposals_good(
    space: SearchSpace,
    costs: Pricer,
    quality: Callable[[np.ndarray], np.ndarray],
    informed: CostAwareSampler,
) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=informed)
    for _ in range(13):
        trial = study.ask()
        config = space.suggest(trial)
        design = space.positions(config)[np.newaxis]
        study.tell(trial, [quality(design)[0], costs(design).latency_ms[0]])
        if trial.number in (9, 12):  # so that what the prior is wrong in is found out
            assert config in informed.beginning
    assert share_of_the_best(study.trials[1:9]) > 0.5


def test_a_prior_guides_workers_that_begin_at_once(space: SearchSpace, informed: CostAwareSampler) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=informed)
    at_once = [space.suggest(study.ask()).hash for _ in range(6)]
    assert len(set(at_once)) == 6
    assert share_of_the_best(study.trials[1:]) > 0.5
