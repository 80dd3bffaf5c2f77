"""The different pieces that the decoders of a space are made of: each is priced once, however many have it.

A piece is an entry convolution, a residual block that changes the width, an upsampler, a residual block, or
an output head, at the size that reaches it. A space of 10^13 designs has some seven thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from nas.costs.tables.chain import LINKS, Chain, Variant
from search_space import DecoderConfig, Stage, build_decoder
from search_space.decoder import StageBlocks
from search_space.operators import UPSAMPLERS

Dims = tuple[int, int, int]
"""Frames, height and width of a clip."""

NOTHING = 0  # the number of the piece that isn't there


@dataclass(frozen=True)
class Part:
    """A piece of a decoder.

    Attributes:
        config: a decoder that has it, otherwise as small as can be.
        link: of which of its links it is a part.
        which: "conv_in" and "head" are those of the decoder, the others those of its stage.
        channels, dims: of the clip that reaches it.
    """

    config: DecoderConfig
    link: int
    which: Literal["conv_in", "entry", "upsampler", "resnet", "head"]
    channels: int
    dims: Dims

    def modules(self) -> list[nn.Module]:
        """Its blocks in order, with meta tensors as parameters."""
        with torch.device("meta"):
            if self.which in ("conv_in", "head"):
                blocks = dict(build_decoder(self.config).eval().stages())[self.which]
                return [module for _, module in blocks]
            stage = StageBlocks(self.config, self.link).eval()
        if self.which == "entry":
            return [stage.conv_in]
        return [stage.upsamplers[0] if self.which == "upsampler" else stage.resnets[0]]


class Parts:
    """The pieces of a space and where they belong.

    Attributes:
        parts: by number; the first stands for nothing.
        conv_in, head: number of the piece by [variant, width] of the first and the last link.
        entry: for each link numbers by [variant, width before, width, conv, upsampler].
        upsampler: for each link by [variant, width before, width, upsampler].
        resnet: for each link by [variant, width, conv].
    """

    def __init__(self, chain: Chain, sizes: Callable[[Variant], list[Dims] | None]) -> None:
        """`sizes` gives what reaches each link of a variant, and last what leaves the last.

        A variant for which it gives None is left out: nothing stands in all its places.
        """
        self.parts: list[Part | None] = [None]
        self._numbers: dict[tuple[object, ...], int] = {}
        self._chain = chain
        shapes = [chain.shape(link) for link in range(LINKS)]
        self.conv_in = np.zeros((len(chain.variants), shapes[0][2]), dtype=np.int64)
        self.head = np.zeros((len(chain.variants), shapes[-1][2]), dtype=np.int64)
        self.entry = [np.zeros((v, before, w, conv, up), np.int64) for v, before, w, _, conv, up in shapes]
        self.upsampler = [np.zeros((v, before, w, up), dtype=np.int64) for v, before, w, _, _, up in shapes]
        self.resnet = [np.zeros((v, w, conv), dtype=np.int64) for v, _, w, _, conv, _ in shapes]
        for index, variant in enumerate(chain.variants):
            dims = sizes(variant)
            if dims is None:
                continue
            for position, width in enumerate(chain.widths(0)):
                self.conv_in[index, position] = self._number(
                    variant, 0, "conv_in", width, dims[0], Stage(width, 0, "spatial")
                )
            for link in range(LINKS):
                self._stage(index, variant, link, dims)
            for position, width in enumerate(chain.widths(LINKS - 1)):
                stage = self._quiet(variant, LINKS - 1, width)
                self.head[index, position] = self._number(variant, LINKS - 1, "head", width, dims[-1], stage)

    def __len__(self) -> int:
        return len(self.parts)

    def _stage(self, index: int, variant: Variant, link: int, dims: list[Dims]) -> None:
        choices = self._chain.stage(link)
        upsamples, doubles_time = variant.placement[link - 1] if link else (False, False)
        befores = self._chain.widths(link - 1) if link > 1 else (None,)
        for at_width, width in enumerate(self._chain.widths(link)):
            for at_conv, conv in enumerate(choices.conv):
                if choices.blocks[-1]:
                    stage = self._quiet(variant, link, width, blocks=1, conv=conv)
                    number = self._number(variant, link, "resnet", width, dims[link + 1], stage)
                    self.resnet[link][index, at_width, at_conv] = number
            for at_before, width_before in enumerate(befores):
                before = width if width_before is None else width_before
                place = (index, at_before, at_width)
                changes_width = np.zeros(max(len(choices.upsampler), 1), dtype=bool)
                for at_up, name in enumerate(choices.upsampler if upsamples else ()):
                    built = name if doubles_time else UPSAMPLERS[name].without_time or name
                    changes_width[at_up] = UPSAMPLERS[built].changes_width
                    stage = Stage(width, 0, "spatial", built, doubles_time)
                    reaches = before if changes_width[at_up] else width
                    number = self._number(variant, link, "upsampler", reaches, dims[link], stage)
                    self.upsampler[link][(*place, at_up)] = number
                if before == width or changes_width.all():
                    continue
                for at_conv, conv in enumerate(choices.conv):
                    stage = self._quiet(variant, link, width, conv=conv)
                    number = self._number(variant, link, "entry", before, dims[link], stage)
                    self.entry[link][(*place, at_conv)] = np.where(changes_width, NOTHING, number)

    def _quiet(
        self, variant: Variant, link: int, width: int, blocks: int = 0, conv: str = "spatial"
    ) -> Stage:
        """A stage with an upsampler, where the variant has one there, that leaves the width alone."""
        upsamples, doubles_time = variant.placement[link - 1] if link else (False, False)
        return Stage(width, blocks, conv, "pixel_shuffle" if upsamples else None, doubles_time)

    def _number(
        self,
        variant: Variant,
        link: int,
        which: Literal["conv_in", "entry", "upsampler", "resnet", "head"],
        before: int,
        dims: Dims,
        stage: Stage,
    ) -> int:
        """The number of a piece, a new one where no variant and no link had it before."""
        key: tuple[object, ...] = (which, before, stage.width, dims, variant.time_padding)
        match which:
            case "head":
                key = (*key, variant.patch_size)
            case "upsampler":
                key = (*key, stage.upsampler, stage.doubles_time)
            case "entry":
                key = (*key, stage.conv)
            case "resnet":
                key = (*key, stage.conv, stage.upsampler is not None)
        if key not in self._numbers:
            self._numbers[key] = len(self.parts)
            config = self._chain.representative(variant, link, before, stage)
            channels = config.latent_channels if which == "conv_in" else before
            self.parts.append(Part(config, link, which, channels, dims))
        return self._numbers[key]
