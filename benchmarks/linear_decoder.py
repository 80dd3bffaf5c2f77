"""What linear decoders of the stand-in's latents reach: the quality that samplers' comparison counts from.

    python benchmarks/linear_decoder.py

A linear decoder maps each place of a latent by itself, as a convolution of size 1x1x1 does, to its pixels.
It is trained as the designs of the comparison are, and for comparison fitted to all training clips by least
squares, which a short training comes nowhere near. All are judged on the validation clips.
"""

from __future__ import annotations

import argparse
from statistics import mean

import torch
from surrogate.rows import SETTINGS
from torch import Tensor, nn

from nas.inputs import fitting_clips
from nas.material import Material, prepare
from nas.quality import psnr, to_unit
from nas.settings import TrainingSettings, load_settings
from nas.teachers import load_teacher
from nas.training_step import TrainingStep
from nas.training_weights import Weights

TEACHER = "wan"
DATA_SEED = 0  # of the clips, that of the table's trainings
SEEDS = (0, 1, 2)


class LinearDecoder(nn.Module):
    """A linear map of each place of a latent [B, C, t, h, w] to its pixels: [B, 3, T, H, W].

    The first of a latent's frames stands for one frame of the clip, each later one for as many as the rest.
    """

    def __init__(self, latents: Tensor, clips: Tensor) -> None:
        super().__init__()
        _, channels, time, height, width = latents.shape
        side = (clips.shape[3] // height, clips.shape[4] // width)
        self._first, self._later = (1, *side), ((clips.shape[2] - 1) // (time - 1), *side)
        self.first = nn.Linear(channels, 3 * self._first[0] * side[0] * side[1])
        self.later = nn.Linear(channels, 3 * self._later[0] * side[0] * side[1])

    def forward(self, latents: Tensor) -> Tensor:
        places = latents.movedim(1, -1)  # [B, t, h, w, C]
        first = _pixels(self.first(places[:, :1]), self._first)
        return torch.cat([first, _pixels(self.later(places[:, 1:]), self._later)], dim=2)

    @torch.no_grad()
    def fit(self, latents: Tensor, clips: Tensor) -> None:
        """Takes the weights of the least squared error."""
        places = latents.movedim(1, -1)
        _fit(self.first, places[:, :1], _places(clips[:, :, :1], self._first))
        _fit(self.later, places[:, 1:], _places(clips[:, :, 1:], self._later))


def _pixels(places: Tensor, size: tuple[int, ...]) -> Tensor:
    """Places [B, t, h, w, 3 * prod(size)] as frames [B, 3, t * size[0], h * size[1], w * size[2]]."""
    apart = places.unflatten(-1, (3, *size)).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return apart.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def _places(frames: Tensor, size: tuple[int, ...]) -> Tensor:
    """Frames [B, 3, T, H, W] as places: undoes `_pixels`."""
    apart = frames.unflatten(4, (-1, size[2])).unflatten(3, (-1, size[1])).unflatten(2, (-1, size[0]))
    return apart.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)


def _fit(linear: nn.Linear, inputs: Tensor, targets: Tensor) -> None:
    known = nn.functional.pad(inputs.flatten(0, -2), (0, 1), value=1.0).double()
    solution = torch.linalg.lstsq(known, targets.flatten(0, -2).double()).solution
    linear.weight.copy_(solution[:-1].T)
    linear.bias.copy_(solution[-1])


def trained(material: Material, settings: TrainingSettings, seed: int) -> LinearDecoder:
    """A linear decoder after the preset's steps, but for the loss of features, of which it has none."""
    torch.manual_seed(seed)
    decoder = LinearDecoder(material.latents, material.clips)
    weights = Weights(decoder)

    def loss(latents: Tensor, clips: Tensor, _features: Tensor | None) -> Tensor:
        return nn.functional.l1_loss(weights.compute(latents), clips)

    step = TrainingStep(weights, loss, material, settings, seed)
    for _ in range(settings.steps):
        step()
    return decoder


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    settings = load_settings(SETTINGS)
    teacher = load_teacher(TEACHER, weights="stand-in", device="cpu")
    material = prepare(teacher, fitting_clips(None, settings.clips, teacher, DATA_SEED), with_features=False)
    clips, truth = to_unit(material.clips), to_unit(material.validation_clips)

    @torch.inference_mode()
    def reached(decoder: LinearDecoder) -> float:
        return psnr(decoder(material.validation_latents), truth)

    fitted = LinearDecoder(material.latents, clips)
    fitted.fit(material.latents, clips)
    colour = clips.mean((0, 2, 3, 4)).view(1, 3, 1, 1, 1).expand_as(truth)
    each = [reached(trained(material, settings.training, seed)) for seed in SEEDS]
    print("| decoder | PSNR, dB |\n|---|---|")
    print(f"| one colour for everything | {psnr(colour, truth):.2f} |")
    spread = f"{min(each):.2f} to {max(each):.2f}"
    print(f"| linear, {settings.training.steps} steps, {len(SEEDS)} seeds | {mean(each):.2f} ({spread}) |")
    print(f"| linear, by least squares | {reached(fitted):.2f} |")
    print(f"| the teacher itself | {material.teacher_psnr:.2f} |")


if __name__ == "__main__":
    main()
