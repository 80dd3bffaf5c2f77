"""LPIPS over networks of random weights: what it needs, and how it behaves."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from nas.perceptual import Lpips, backbone
from search_space.errors import UserError


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in torchvision's format."""
    if find_spec("lpips") is None:  # not imported: that would need torchvision
        pytest.skip("the package lpips isn't installed (pip install --no-deps lpips)")
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    layers = torch.nn.Sequential(*backbone("alex").layers)
    torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, path)
    return path


def test_grows_with_the_difference_and_is_zero_without(alexnet: Path) -> None:
    lpips = Lpips("alex", alexnet)
    clip = torch.rand(2, 3, 3, 64, 64).mul(2).sub(1)
    noise = torch.randn_like(clip)
    same, little, much = (lpips(clip + scale * noise, clip) for scale in (0, 0.05, 0.5))
    assert same.shape == (2,)
    assert (same == 0).all()
    assert (little > 0).all()
    assert (little < much).all()


def test_teaches_what_decodes_but_not_itself(alexnet: Path) -> None:
    lpips = Lpips("alex", alexnet)
    video = torch.zeros(1, 3, 2, 64, 64, requires_grad=True)
    lpips(video, torch.rand(1, 3, 2, 64, 64)).sum().backward()
    assert video.grad is not None
    assert video.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in lpips.parameters())


def test_says_where_missing_weights_are_looked_for(
    alexnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"alexnet-owt-7be5be79.pth, which are not at .*checkpoints"):
        Lpips("alex")
    with pytest.raises(UserError, match="doesn't hold the weights of vgg16"):
        Lpips("vgg", alexnet)
