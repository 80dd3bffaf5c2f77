"""Any student's feature through its head into any teacher's shape."""

import pytest
import torch

from nas.training.alignment import FeatureHead, feature_loss


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ((3, 8, 8), (3, 8, 8)),
        ((3, 8, 8), (3, 16, 16)),  # the teacher upsamples earlier
        ((3, 8, 8), (5, 16, 16)),  # causal: 3 latent frames, 5 of the feature
        ((3, 8, 8), (9, 32, 32)),
        ((4, 4, 4), (8, 8, 8)),  # every frame kept
        ((5, 16, 16), (3, 8, 8)),  # the student upsamples earlier
        ((3, 8, 8), (4, 12, 12)),  # no whole multiple
        ((1, 4, 4), (1, 8, 8)),
    ],
)
def test_aligns_in_time_and_space(student: tuple[int, int, int], teacher: tuple[int, int, int]) -> None:
    head = FeatureHead(torch.Size((1, 6, *student)), torch.Size((1, 4, *teacher)))
    assert head(torch.randn(2, 6, *student), torch.Size(teacher)).shape == (2, 4, *teacher)


def test_larger_features_are_woven_and_shuffled_from_channels() -> None:
    teacher = torch.randn(1, 2, 5, 6, 6)
    head = FeatureHead(torch.Size((1, 16, 3, 3, 3)), teacher.shape)
    for convolution in head.convolutions:
        torch.nn.init.dirac_(convolution.weight)
        torch.nn.init.zeros_(convolution.bias)
    padded = torch.cat([torch.zeros_like(teacher[:, :, :1]), teacher], dim=2)
    split = padded.reshape(1, 2, 3, 2, 3, 2, 3, 2)  # channels, then in and beside: time, height, width
    student = split.permute(0, 1, 5, 7, 3, 2, 4, 6).reshape(1, 16, 3, 3, 3)
    torch.testing.assert_close(head(student, teacher.shape[2:]), teacher)


def test_the_relative_loss_does_not_depend_on_the_teachers_scale() -> None:
    ours, theirs = torch.randn(2, 1, 4, 3, 8, 8)
    assert feature_loss(10 * ours, 10 * theirs, relative=True) == pytest.approx(
        float(feature_loss(ours, theirs, relative=True))
    )
    assert feature_loss(ours, theirs, relative=False) == pytest.approx(float((ours - theirs).square().mean()))
