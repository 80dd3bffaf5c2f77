"""Video DC-AE's decoder has the size and shapes that were published."""

import pytest
import torch

from nas.teachers.dc_ae import Duplicating, VideoDCAEDecoder


def _decoder() -> VideoDCAEDecoder:
    with torch.device("meta"):
        return VideoDCAEDecoder()


def test_the_decoder_has_the_published_number_of_parameters() -> None:
    # 239.0 M: arXiv 2508.09136, table 1.
    assert sum(parameter.numel() for parameter in _decoder().parameters()) == 239_022_211


def test_a_clip_grows_in_time_and_space_and_a_single_latent_in_space_only() -> None:
    decoder = _decoder()
    clip = torch.empty(1, 128, 4, 2, 3, device="meta")
    assert decoder(clip).shape == (1, 3, 16, 64, 96)
    assert decoder(clip[:, :, :1]).shape == (1, 3, 1, 64, 96)


class Nothing(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1)


@pytest.mark.parametrize("time", [1, 2])
def test_the_shortcut_of_an_upsampler_repeats_every_latent_as_its_pixels(time: int) -> None:
    x = torch.rand(1, 2, 2, 3, 3)
    grown = Duplicating(2, 2, (time, 2, 2), Nothing())(x)
    repeated = x.repeat_interleave(time, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
    assert torch.equal(grown, repeated)
