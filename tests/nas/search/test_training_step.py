"""Which clips the steps of a distillation see."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from nas.material import Material
from nas.settings import TrainingSettings
from nas.training_step import TrainingStep
from nas.training_weights import Weights

SETTINGS = TrainingSettings(
    steps=6,
    batch=2,
    window=None,
    learning_rate=1e-3,
    schedule="constant",
    warm_up=1,
    weight_decay=0,
    gradient_norm=1.0,
    feature_weight=0,
    curve_points=1,
    curve_clips=1,
)


def _seen(material: Material, settings: TrainingSettings) -> list[tuple[Tensor, Tensor]]:
    """The latents and clips of each step."""
    weights = Weights(nn.Conv3d(16, 1, 1))
    seen = []

    def loss(latents: Tensor, clips: Tensor, features: Tensor | None) -> Tensor:
        seen.append((latents, clips))
        total: Tensor = weights.compute(latents).mean()
        return total

    step = TrainingStep(weights, loss, material, settings, seed=0)
    for _ in range(settings.steps):
        step()
    return seen


def test_every_clip_comes_once_before_any_comes_again(material: Material) -> None:
    number = torch.arange(6.0).view(6, 1, 1, 1, 1).expand_as(material.latents)
    latents = torch.cat([batch for batch, _ in _seen(replace(material, latents=number), SETTINGS)])
    order = latents[:, 0, 0, 0, 0].tolist()
    assert sorted(order[:6]) == sorted(order[6:]) == list(range(6))
    assert order[:6] != order[6:]


def test_a_window_is_the_same_place_of_latents_and_clips(material: Material) -> None:
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    place = (4 * rows + columns).expand_as(material.latents)
    pixels = place[:, :3, :1].repeat_interleave(8, 3).repeat_interleave(8, 4).expand_as(material.clips)
    marked = replace(material, latents=place.float(), clips=pixels.to(torch.uint8))
    places = set()
    for latents, clips in _seen(marked, SETTINGS.model_copy(update={"window": 16})):
        assert latents.shape[-2:] == (2, 2)
        in_clips = clips[:, :, :1, ::8, ::8].add(1).mul(127.5).round()
        torch.testing.assert_close(in_clips, latents[:, :3, :1])
        places.add(latents[0, 0, 0, 0, 0].item())
    assert len(places) > 1
