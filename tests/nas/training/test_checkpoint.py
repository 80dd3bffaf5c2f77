"""Checkpoints: what is written comes back, and what can't be written harms nothing."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from nas.training.checkpoint import (
    Place,
    load_checkpoint,
    load_optimiser_state,
    optimiser_state,
    save_checkpoint,
)
from search_space.errors import UserError

PLACE = Place(step=3, seen=24, design="abc", teacher="def", settings={"seed": 0, "data": {"size": 32}})


def _stepped(rate: float) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(module.parameters(), rate)
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return module, optimiser


def test_comes_back_with_the_optimisers_state(tmp_path: Path) -> None:
    module, optimiser = _stepped(0.1)
    names = [name for name, _ in module.named_parameters()]
    save_checkpoint(tmp_path / "checkpoint", PLACE, optimiser_state(optimiser, names))
    place, tensors = load_checkpoint(tmp_path / "checkpoint")
    assert place == PLACE
    assert set(tensors) == {
        f"{name}.{key}" for name in ("weight", "bias") for key in ("exp_avg", "exp_avg_sq", "step")
    }
    other = torch.optim.AdamW(module.parameters(), 0.5)
    load_optimiser_state(other, names, tensors)
    assert other.param_groups[0]["lr"] == 0.5
    for parameter in module.parameters():
        assert all(
            torch.equal(other.state[parameter][key], value)
            for key, value in optimiser.state[parameter].items()
        )


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 64 KB: writing more fails as on a full disk, only with another number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_last_good_one(tmp_path: Path, full_disk: None) -> None:
    path = tmp_path / "checkpoint"
    save_checkpoint(path, PLACE, {"weight": torch.ones(10)})
    with pytest.raises(UserError, match=r"can't be written .*; the one before it is whole"):
        save_checkpoint(path, PLACE, {"weight": torch.ones(10**5)})
    _, tensors = load_checkpoint(path)
    assert torch.equal(tensors["weight"], torch.ones(10))
    assert list(tmp_path.iterdir()) == [path]


def test_a_truncated_one_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    save_checkpoint(path, PLACE, {"weight": torch.ones(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="is damaged or no checkpoint"):
        load_checkpoint(path)
