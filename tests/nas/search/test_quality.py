"""PSNR and SSIM of clips."""

import math

import pytest
import torch

from nas.quality import psnr, psnr_inside, ssim


def test_psnr_is_the_mean_over_clips_of_each_ones_own() -> None:
    clips = torch.zeros(2, 3, 5, 16, 16)
    videos = clips.clone()
    videos[0] += 0.2
    videos[1] -= 0.02
    by_hand = [10 * math.log10(2**2 / error**2) for error in (0.2, 0.02)]
    assert psnr(videos, clips) == pytest.approx(sum(by_hand) / 2, abs=1e-3)


def test_values_beyond_white_are_clamped() -> None:
    clips = torch.full((1, 3, 5, 16, 16), 0.9)
    assert psnr(torch.full_like(clips, 7.0), clips) == pytest.approx(10 * math.log10(4 / 0.01), abs=1e-3)


def test_inside_leaves_out_the_borders() -> None:
    clips = torch.zeros(1, 3, 12, 16, 16)
    videos = torch.ones_like(clips)
    videos[:, :, 4:8, 2:14, 2:14] = 0.1
    assert psnr_inside(videos, clips, frames=4) == pytest.approx(10 * math.log10(4 / 0.01), abs=1e-3)


def test_ssim_of_equal_clips_is_one() -> None:
    clips = torch.rand(1, 3, 3, 16, 16).mul(2).sub(1)
    assert ssim(clips, clips) == pytest.approx(1.0)
    assert ssim(-clips, clips) < 0.5
