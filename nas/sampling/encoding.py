"""Designs as numbers for a model of their quality, many at once.

The numbers mean the same in every space, so that a model of one space's trainings can be asked about those of
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search_space import DecoderConfig, SearchSpace
from search_space.operators import CONVOLUTIONS, UPSAMPLERS
from search_space.space_file import STAGE_KEYS
from search_space.space_layout import layout

_CONVOLUTIONS, _UPSAMPLERS = tuple(CONVOLUTIONS), tuple(UPSAMPLERS)
_CHANGES_WIDTH = np.array([UPSAMPLERS[name].changes_width for name in _UPSAMPLERS] + [False])
_WITHOUT_TIME = np.array([_UPSAMPLERS.index(UPSAMPLERS[name].without_time or name) for name in _UPSAMPLERS])
_NONE = -1  # in place of an upsampler

FEATURES = (
    "patch_size_log2",
    "is_causal",
    *(
        f"{stage}_{feature}"
        for stage in STAGE_KEYS
        for feature in (
            "width_log2",
            "blocks",
            "doubles_time",
            *(f"conv_{name}" for name in _CONVOLUTIONS),
            *(f"upsampler_{name}" for name in _UPSAMPLERS),
        )
    ),
)
"""What each column of an encoding is."""


@dataclass(frozen=True)
class _Designs:
    """What N designs are made of; operators by their positions in the tables of operators.

    Attributes:
        patch_size: [N].
        is_causal: [N].
        width, blocks, convolution, upsampler, doubles_time: of the stages, [N, 5].
    """

    patch_size: np.ndarray
    is_causal: np.ndarray
    width: np.ndarray
    blocks: np.ndarray
    convolution: np.ndarray
    upsampler: np.ndarray
    doubles_time: np.ndarray

    def encoded(self) -> np.ndarray:
        changes = self.width[:, 1:] != self.width[:, :-1]
        begins = np.zeros(self.width.shape, dtype=bool)  # with a residual block that changes the width
        begins[:, 1:] = changes & ~_CHANGES_WIDTH[self.upsampler[:, 1:]]
        convolves = (self.blocks > 0) | begins
        stages = [
            np.log2(self.width)[..., None],
            self.blocks[..., None],
            self.doubles_time[..., None],
            (self.convolution[..., None] == np.arange(len(_CONVOLUTIONS))) & convolves[..., None],
            self.upsampler[..., None] == np.arange(len(_UPSAMPLERS)),
        ]
        each = np.concatenate(stages, axis=2, dtype=np.float64)
        whole = np.column_stack([np.log2(self.patch_size), self.is_causal])
        return np.hstack([whole, each.reshape(len(each), each.shape[1] * each.shape[2])])


def encode(configs: Sequence[DecoderConfig]) -> np.ndarray:
    """Designs of any space as numbers, float64 [N, len(FEATURES)].

    Log2 of patch and widths, numbers of blocks, ones and zeros for the rest; all zero where a convolution or
    an upsampler isn't built, so that equal architectures are equal.
    """
    stages = [config.stages for config in configs]
    upsamplers = (*_UPSAMPLERS, None)
    return _Designs(
        np.array([config.patch_size for config in configs]),
        np.array([config.is_causal() for config in configs]),
        np.array([[stage.width for stage in row] for row in stages]),
        np.array([[stage.blocks for stage in row] for row in stages]),
        np.array([[_CONVOLUTIONS.index(stage.conv) for stage in row] for row in stages]),
        np.array([[_position(upsamplers, stage.upsampler) for stage in row] for row in stages]),
        np.array([[stage.doubles_time for stage in row] for row in stages]),
    ).encoded()


def encode_designs(space: SearchSpace, designs: np.ndarray) -> np.ndarray:
    """`encode` of the designs of a space at positions [N, P], as `design_arrays.draw` gives them."""
    column = {parameter.name: index for index, parameter in enumerate(space.asked)}
    choices = {parameter.name: parameter.choices for parameter in space.asked}

    def chosen(name: str) -> np.ndarray:
        return np.array(choices[name])[designs[:, column[name]]]

    placed = np.array(
        [
            [layout(space.compression, patch, when) for when in space.time_doubling]
            for patch in space.patch_size
        ]
    )  # [patch, time doubling, up block, (upsamples, doubles time)]
    placed = placed[designs[:, column["patch_size"]], designs[:, column["time_doubling"]]]
    upsamples, doubles_time = np.pad(placed, ((0, 0), (1, 0), (0, 0))).transpose(2, 0, 1)
    upsampler = np.full(upsamples.shape, _NONE)
    convolution = np.zeros(upsamples.shape, dtype=np.int64)
    for index, stage in enumerate(STAGE_KEYS):
        offered = [_CONVOLUTIONS.index(name) for name in choices[f"{stage}_conv"]]
        convolution[:, index] = np.array(offered)[designs[:, column[f"{stage}_conv"]]]
        if f"{stage}_upsampler" in column:
            names = [_UPSAMPLERS.index(name) for name in choices[f"{stage}_upsampler"]]
            asked = np.array(names)[designs[:, column[f"{stage}_upsampler"]]]
            built = np.where(doubles_time[:, index], asked, _WITHOUT_TIME[asked])
            upsampler[:, index] = np.where(upsamples[:, index], built, _NONE)
    ups = [chosen(f"{stage}_width_rank") for stage in STAGE_KEYS[1:]]
    return _Designs(
        chosen("patch_size"),
        chosen("time_padding") != "symmetric",
        np.column_stack([ups[0], *ups]),  # the middle block is as wide as up0
        np.column_stack([chosen(f"{stage}_blocks") for stage in STAGE_KEYS]),
        convolution,
        upsampler,
        doubles_time,
    ).encoded()


def _position(names: Sequence[str | None], name: str | None) -> int:
    return _NONE if name is None else names.index(name)
