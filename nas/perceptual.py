"""LPIPS, the learned perceptual image patch similarity (Zhang et al., CVPR 2018), version 0.1.

The learned weights of its layers come from the `lpips` package, which is read but not imported, since it
needs torchvision; the networks below them are built here, and their ImageNet weights are a file in
torchvision's format: one that is named, or the one that torchvision keeps in torch's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from nas.weights_file import load_weights
from search_space.errors import UserError

Network = Literal["alex", "vgg"]

_MEAN, _STD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of ImageNet, for pixels in -1..1
_SOURCE = "https://download.pytorch.org/models"


@dataclass(frozen=True)
class Backbone:
    """What LPIPS takes of a network.

    Attributes:
        file: the name of its weights, as torchvision keeps them.
        layers: the first ones of torchvision's `features`.
        looks: the numbers of those after which it looks.
    """

    file: str
    layers: list[nn.Module]
    looks: tuple[int, ...]


def _alexnet() -> Backbone:
    """AlexNet (Krizhevsky 2014), its first 12 layers."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    layers += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    for before, after in ((192, 384), (384, 256), (256, 256)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return Backbone("alexnet-owt-7be5be79.pth", layers, (1, 4, 7, 9, 11))


def _vgg16() -> Backbone:
    """VGG16 (Simonyan and Zisserman, ICLR 2015), its first 30 layers."""
    layers: list[nn.Module] = []
    looks = []
    before = 3
    for width, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(convolutions):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        looks.append(len(layers) - 1)
    return Backbone("vgg16-397923af.pth", layers, tuple(looks))


def backbone(network: Network) -> Backbone:
    """A network's layers, with PyTorch's default initialisation."""
    return _alexnet() if network == "alex" else _vgg16()


class Lpips(nn.Module):
    """The distance of two pictures or clips; frozen, but differentiable in both."""

    def __init__(self, network: Network, weights: str | Path | None = None) -> None:
        """Builds it.

        Args:
            network: "alex", which figures are quoted with, or "vgg", which is trained with.
            weights: a file with the network's ImageNet weights; None: torch's cache.

        Raises:
            UserError: the `lpips` package or the weights are missing, or aren't that network's.
        """
        super().__init__()
        heads = _head_weights(network)
        below = backbone(network)
        self.layers = nn.Sequential(*below.layers)
        self.looks = below.looks
        _load(self.layers, weights, below.file)
        self.heads = nn.ParameterList([nn.Parameter(head) for head in heads])
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, videos: Tensor, clips: Tensor) -> Tensor:
        """The distance of each frame, averaged over frames: `[B]`, 0 for equal ones.

        Args:
            videos: `[B, 3, T, H, W]` in -1..1.
            clips: of the same shape and range.
        """
        batch = videos.shape[0]
        distance = torch.zeros((), device=videos.device)
        for ours, theirs, head in zip(self._features(videos), self._features(clips), self.heads, strict=True):
            distance = distance + (_unit(ours) - _unit(theirs)).square().mul(head).sum(1).mean((1, 2))
        return distance.view(batch, -1).mean(1)

    def _features(self, clips: Tensor) -> list[Tensor]:
        """`[B * T, C, H, W]` after each layer that is looked at."""
        frames = clips.float().transpose(1, 2).flatten(0, 1).sub(self.mean).div(self.std)
        found = []
        for index, layer in enumerate(self.layers):
            frames = layer(frames)
            if index in self.looks:
                found.append(frames)
        return found


def _unit(features: Tensor) -> Tensor:
    """Each pixel's channels scaled to length 1, in fp32."""
    features = features.float()
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)


def _head_weights(network: Network) -> list[Tensor]:
    """The weights `[1, C, 1, 1]` of each layer's channels, out of the `lpips` package."""
    package = find_spec("lpips")
    if package is None or package.origin is None:
        raise UserError(
            'LPIPS needs the package lpips: pip install "nas-video-decoders[perceptual]" (its torchvision is '
            "not used, so pip install --no-deps lpips is enough)"
        )
    state = load_weights(Path(package.origin).parent / "weights" / "v0.1" / f"{network}.pth")
    return [state[f"lin{index}.model.1.weight"] for index in range(len(state))]


def _load(layers: nn.Sequential, weights: str | Path | None, file: str) -> None:
    path = Path(torch.hub.get_dir()) / "checkpoints" / file if weights is None else Path(weights)
    if not path.is_file():
        raise UserError(
            f"LPIPS needs the ImageNet weights {file}, which are not at {path}: put {_SOURCE}/{file} there"
            " or name another file"
        )
    state = {name.removeprefix("features."): tensor for name, tensor in load_weights(path).items()}
    wanted = layers.state_dict()
    if any(name not in state or state[name].shape != tensor.shape for name, tensor in wanted.items()):
        raise UserError(f"{path} doesn't hold the weights of {file.split('-')[0]}")
    layers.load_state_dict({name: state[name] for name in wanted})
