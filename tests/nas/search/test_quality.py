"""PSNR and SSIM of clips."""

import math

import pytest
import torch

from nas.quality import psnr, psnr_by_phase, psnr_inside, ssim, temporal_psnr


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


def test_phases_are_told_apart() -> None:
    clips = torch.zeros(1, 3, 9, 16, 16)
    videos = clips.clone()
    videos[:, :, 0] = 0.5  # the lone first frame
    for phase, error in enumerate((0.1, 0.2, 0.3, 0.4)):
        videos[:, :, 1 + phase :: 4] = error
    by_hand = [10 * math.log10(4 / error**2) for error in (0.1, 0.2, 0.3, 0.4)]
    assert psnr_by_phase(videos, clips, 4) == pytest.approx(by_hand, abs=1e-3)
    assert psnr_by_phase(videos[:, :, 1:], clips[:, :, 1:], 4) == pytest.approx(by_hand, abs=1e-3)


def test_flicker_is_inconsistent_and_a_wrong_colour_is_not() -> None:
    clips = torch.rand(1, 3, 5, 16, 16) * 0.5
    flicker = clips + 0.1 * torch.tensor([1.0, -1, 1, -1, 1]).view(1, 1, 5, 1, 1)
    assert psnr(flicker, clips) == pytest.approx(psnr(clips + 0.1, clips), abs=1e-3)
    assert temporal_psnr(flicker, clips) == pytest.approx(10 * math.log10(4 / 0.2**2), abs=1e-3)
    assert temporal_psnr(clips + 0.1, clips) > 60
