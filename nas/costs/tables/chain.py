"""A space as a chain of five links, and for each design which option of every link it takes.

The links are the stages of `SearchSpace`, the entry convolution taken with the middle and the output head
with the last up block. An option of a link is what its blocks depend on: a variant of the whole (patch,
placement of upsamplers, padding), the width before, and the stage's own width, number of blocks, convolution
and upsampler. Options are numbered in C order over those axes, so that a table has one row for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from search_space import DecoderConfig, SearchSpace, Stage
from search_space.operators import CONVOLUTIONS, UPSAMPLERS
from search_space.space_file import STAGE_KEYS, StageChoices
from search_space.space_layout import Layout, layout

LINKS = len(STAGE_KEYS)
OPERATORS = (*CONVOLUTIONS, *UPSAMPLERS, "ends")  # "ends": the entry convolution and the output head

_ANY_PATCH = 16  # channels of a last stage that every patch divides


@dataclass(frozen=True)
class Variant:
    """What is chosen for a design as a whole, and decides shapes and padding in every stage."""

    patch_size: int
    placement: Layout
    time_padding: str


class Chain:
    """The links of a space.

    Attributes:
        space: the space.
        variants: different ones, in the order in which the space's choices make them.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self._column = {parameter.name: index for index, parameter in enumerate(space.asked)}
        made: dict[Variant, tuple[int, ...]] = {}  # to the first choices that make it
        numbers = {}
        for positions in product(*(range(len(p.choices)) for p in space.asked[:3])):
            patch_size, doubling, padding = (
                p.choices[at] for p, at in zip(space.asked[:3], positions, strict=True)
            )
            variant = Variant(patch_size, layout(space.compression, patch_size, doubling), padding)
            made.setdefault(variant, positions)
            numbers[positions] = list(made).index(variant)
        self.variants = tuple(made)
        self._made_by = np.array(list(made.values()))
        self._variant_of = np.array(list(numbers.values())).reshape([len(p.choices) for p in space.asked[:3]])

    def stage(self, link: int) -> StageChoices:
        """Choices of the stage; the middle's widths are those of up0."""
        return self.space.stages[link]

    def widths(self, link: int) -> tuple[int, ...]:
        """Widths after the link, in channels."""
        return self.space.stages[max(link, 1)].width

    def shape(self, link: int) -> tuple[int, ...]:
        """Choices of a link: variant, width before, width, blocks, conv, upsampler; 1 where it has none."""
        stage = self.stage(link)
        before = len(self.widths(link - 1)) if link > 1 else 1  # up0 is as wide as the middle
        return (
            len(self.variants),
            before,
            len(self.widths(link)),
            len(stage.blocks),
            len(stage.conv),
            max(len(stage.upsampler), 1),
        )

    def options(self, link: int) -> int:
        """How many options a link has: rows of its table."""
        return prod(self.shape(link))

    def rows(self, designs: np.ndarray) -> list[np.ndarray]:
        """For each link the option that each design takes, int64 [N]; `designs` as `design_arrays.draw`."""
        variant = self._variant_of[tuple(designs[:, :3].T)]
        nothing = np.zeros(len(designs), dtype=np.int64)
        found = []
        for link, name in enumerate(STAGE_KEYS):
            positions = [
                variant,
                self._at(designs, f"{STAGE_KEYS[link - 1]}_width_rank") if link > 1 else nothing,
                self._at(designs, f"{STAGE_KEYS[max(link, 1)]}_width_rank"),
                self._at(designs, f"{name}_blocks"),
                self._at(designs, f"{name}_conv"),
                self._at(designs, f"{name}_upsampler") if self.stage(link).upsampler else nothing,
            ]
            found.append(np.ravel_multi_index(positions, self.shape(link)))
        return found

    def variant(self, rows: list[np.ndarray]) -> np.ndarray:
        """The number of each design's variant, int64 [N]; `rows` as the method gives them."""
        return np.asarray(np.unravel_index(rows[0], self.shape(0))[0])

    def designs(self, rows: np.ndarray) -> np.ndarray:
        """The designs [N, P] that take these options, [N, links]: the inverse of `rows`."""
        designs = np.zeros((len(rows), len(self.space.asked)), dtype=np.int64)
        for link, name in enumerate(STAGE_KEYS):
            variant, _, width, blocks, conv, upsampler = np.unravel_index(rows[:, link], self.shape(link))
            designs[:, :3] = self._made_by[variant]
            designs[:, self._column[f"{STAGE_KEYS[max(link, 1)]}_width_rank"]] = width
            designs[:, self._column[f"{name}_blocks"]] = blocks
            designs[:, self._column[f"{name}_conv"]] = conv
            if self.stage(link).upsampler:
                designs[:, self._column[f"{name}_upsampler"]] = upsampler
        return designs

    def operators(self, link: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in `OPERATORS` of the convolution and of the upsampler of a link's options [N], each [N].

        Without an upsampler the second says nothing.
        """
        stage = self.stage(link)
        conv = np.array([OPERATORS.index(name) for name in stage.conv])
        upsampler = np.zeros((len(self.variants), max(len(stage.upsampler), 1)), dtype=np.int64)
        for index, variant in enumerate(self.variants):
            for position, name in enumerate(stage.upsampler):
                _, doubles_time = variant.placement[link - 1]
                built = name if doubles_time else UPSAMPLERS[name].without_time or name
                upsampler[index, position] = OPERATORS.index(built)
        variant_taken, _, _, _, conv_taken, upsampler_taken = np.unravel_index(rows, self.shape(link))
        return conv[conv_taken], upsampler[variant_taken, upsampler_taken]

    def _at(self, designs: np.ndarray, name: str) -> np.ndarray:
        column: np.ndarray = designs[:, self._column[name]]
        return column

    def representative(self, variant: Variant, link: int, before: int, stage: Stage) -> DecoderConfig:
        """A decoder, otherwise as small as can be, whose stage `link` is `stage` after so many channels."""
        stages: list[Stage] = []
        for index, (upsamples, doubles_time) in enumerate(((False, False), *variant.placement)):
            width = before if index < link else stage.width if index < 2 else _ANY_PATCH
            upsampler = "pixel_shuffle" if upsamples else None
            stages.append(stage if index == link else Stage(width, 0, "spatial", upsampler, doubles_time))
        return DecoderConfig(
            latent_channels=self.space.latent_channels,
            stages=tuple(stages),
            patch_size=variant.patch_size,
            time_padding=variant.time_padding,
            keeps_first_frames=self.space.keeps_first_frames,
        )
