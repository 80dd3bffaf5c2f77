"""Decoders in the form for training under `torch.autocast`, as `nas train` computes them."""

import copy

import pytest
import torch

from nas.initialisation import initialise
from nas.training_form import training_form
from search_space import DecoderConfig, Stage, build_decoder
from search_space.decoder import Decoder


def _decoder(conv: str, widths: tuple[int, int]) -> Decoder:
    wide, narrow = widths
    stages = (
        Stage(wide, 1, "spatial" if conv == "dense" else conv),
        Stage(wide, 0, "spatial"),
        Stage(narrow, 1, conv, "decoupled_pixel_shuffle", doubles_time=True),
        Stage(narrow, 1, conv, "nearest", doubles_time=True),
        Stage(8, 1, conv, "transposed"),
    )
    torch.manual_seed(0)
    return initialise(build_decoder(DecoderConfig(latent_channels=16, stages=stages))).cuda()


@pytest.mark.parametrize("conv", ["dw3", "dw7", "dense", "two_frame", "factored"])
@pytest.mark.parametrize("widths", [(96, 48), (24, 12)])
def test_autocast_computes_in_bf16_and_trains_fp32_weights(conv: str, widths: tuple[int, int]) -> None:
    plain = _decoder(conv, widths)
    ours = training_form(copy.deepcopy(plain))
    latent = torch.randn(2, 16, 3, 16, 16, device="cuda")
    target = torch.randn_like(plain(latent))
    gradients = []
    for decoder in (plain, ours):
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=decoder is ours):
            video = decoder(latent)
        assert video.dtype == (torch.bfloat16 if decoder is ours else torch.float32)
        loss = torch.nn.functional.mse_loss(video.float(), target)
        named = dict(decoder.named_parameters())
        found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        gradients.append({name: each for name, each in zip(named, found, strict=True) if each is not None})
    theirs, mine = gradients
    assert mine.keys() == theirs.keys()
    assert all(gradient.dtype == torch.float32 for gradient in mine.values())
    together = [torch.cat([each.flatten() for each in one.values()]) for one in (mine, theirs)]
    assert torch.cosine_similarity(*together, dim=0) > 0.99
