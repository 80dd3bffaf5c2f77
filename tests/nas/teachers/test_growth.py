"""The growth of a decoder, and how many latents a clip takes."""

import torch
from torch import Tensor

from nas.teachers.growth import Growth, measured_growth


def test_growth_is_measured_on_a_decoder_that_keeps_its_first_frame() -> None:
    def decode(latent: Tensor) -> Tensor:
        _, _, frames, height, width = latent.shape
        return torch.empty(1, 3, 4 * frames - 3, 8 * height, 16 * width, device="meta")

    growth = measured_growth(decode, channels=5)
    assert growth == Growth((4, 8, 16), -3)
    assert [growth.latents(frames) for frames in (1, 2, 5, 6, 17)] == [1, 2, 2, 3, 5]


def test_a_decoder_that_treats_all_frames_alike_takes_no_latent_for_the_first() -> None:
    assert [Growth((4, 32, 32), 0).latents(frames) for frames in (1, 4, 5, 16)] == [1, 1, 2, 4]
