"""rFVD."""

from pathlib import Path

import pytest
import torch

from nas.evaluation.frechet import I3d, frechet_distance
from search_space.errors import UserError


def test_the_distance_of_two_normal_distributions() -> None:
    # In closed form, since both covariances are diagonal in the same axes: |m1 - m2|^2 + sum (s1 - s2)^2.
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(4000, 3, generator=generator, dtype=torch.double)
    normal = (normal - normal.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(normal.T.cov())).T
    scales, shift = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([0.5, 0.0, -1.0]).double()
    expected = 0.25 + 1 + (0 + 1 + 4)
    assert frechet_distance(normal * scales + shift, normal) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(normal, normal) == pytest.approx(0, abs=1e-6)


class _Means(torch.nn.Module):
    """With the call of the published I3D file: the mean of each colour, as the pixels came."""

    def forward(self, x: torch.Tensor, rescale: bool, resize: bool, return_features: bool) -> torch.Tensor:
        return x.mean(dim=[2, 3, 4]) if rescale and resize and return_features else x


def test_the_network_sees_pixels_from_0_to_255(tmp_path: Path) -> None:
    torch.jit.script(_Means()).save(str(tmp_path / "i3d.pt"))
    features = I3d(tmp_path / "i3d.pt", torch.device("cpu"))(torch.tensor([-1.0, 0, 2]).view(1, 3, 1, 1, 1))
    assert features.tolist() == [[0.0, 127.5, 255.0]]


def test_what_is_no_torchscript_is_refused(tmp_path: Path) -> None:
    (tmp_path / "i3d.pt").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not TorchScript"):
        I3d(tmp_path / "i3d.pt", torch.device("cpu"))
    with pytest.raises(UserError, match="no such file"):
        I3d(tmp_path / "nowhere.pt", torch.device("cpu"))
