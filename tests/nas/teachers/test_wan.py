from pathlib import Path

import pytest
import torch

from nas.teachers.wan import decode_latent, encode_moments


@pytest.fixture(params=["wan", "wan2.2"])
def vae(request: pytest.FixtureRequest, small_models: Path) -> torch.nn.Module:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan.from_pretrained(small_models / request.param).eval()


@pytest.mark.parametrize("frames", [1, 9, 17])
def test_whole_clips_give_the_numbers_of_the_chunks_of_the_class(vae: torch.nn.Module, frames: int) -> None:
    clip = torch.rand(2, 3, frames, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        moments = vae.encode(clip).latent_dist.parameters
        torch.testing.assert_close(encode_moments(vae, clip), moments, atol=1e-5, rtol=0)
        latent = moments.chunk(2, dim=1)[0] * 5  # far enough from zero for the clamp to matter
        video = decode_latent(vae, latent).clamp(-1, 1)
        torch.testing.assert_close(video, vae.decode(latent).sample, atol=1e-5, rtol=0)


def test_frames_after_the_last_whole_four_are_dropped(vae: torch.nn.Module) -> None:
    clip = torch.rand(1, 3, 8, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(encode_moments(vae, clip), encode_moments(vae, clip[:, :, :5]))


def test_every_weight_is_reached_by_the_gradient(vae: torch.nn.Module) -> None:
    mean = encode_moments(vae, torch.rand(1, 3, 9, 32, 32)).chunk(2, dim=1)[0]
    decode_latent(vae, mean).square().mean().backward()
    assert [name for name, weight in vae.named_parameters() if weight.grad is None] == []
