"""Refuses spaces of which some choice could never be built."""

from itertools import product
from typing import TYPE_CHECKING, Any

from search_space.config import PATCH_SIZES
from search_space.errors import UserError
from search_space.operators import CONVOLUTIONS, UPSAMPLERS
from search_space.space_file import STAGE_KEYS, StageChoices
from search_space.space_layout import UP_BLOCKS, doublings, layout, upsampling_blocks

if TYPE_CHECKING:
    from search_space.space import SearchSpace


def check_space(space: "SearchSpace") -> None:
    """Raises UserError, naming the key and what would be right."""
    _check_compression(space.compression)
    if type(space.latent_channels) is not int or space.latent_channels < 1:
        raise UserError(f"latent_channels is {space.latent_channels!r}: it must be a whole number, 1 or more")
    if type(space.keeps_first_frames) is not bool:
        raise UserError(f"keeps_first_frames is {space.keeps_first_frames!r}: it must be true or false")
    if not isinstance(space.teacher, str):
        raise UserError(f"teacher is {space.teacher!r}: it must be a name")
    _check_members("time_doubling", space.time_doubling, ("early", "late"))
    _check_members("time_padding", space.time_padding, ("symmetric", "causal"))
    _check_members("patch_size", space.patch_size, PATCH_SIZES)
    ratio = ",".join(map(str, space.compression))
    for patch in space.patch_size:
        upsampling, doubling = upsampling_blocks(space.compression, patch), doublings(space.compression[0])
        if not doubling <= upsampling <= UP_BLOCKS:
            raise UserError(
                f"patch_size {patch} leaves {upsampling} up blocks to upsample for compression {ratio}: "
                f"it must be {doubling} (to double time) to {UP_BLOCKS} (that there are)"
            )
    for index, (name, stage) in enumerate(zip(STAGE_KEYS, space.stages, strict=True)):
        _check_stage(name, stage)
        if index > 0:
            _check_upsampler(space, index, name, stage)
    for patch, width in product(space.patch_size, space.stages[-1].width):
        if width % patch**2:
            raise UserError(f"width {width} of up3: patch_size {patch} needs a multiple of {patch**2}")


def _check_compression(compression: tuple[int, ...]) -> None:
    powers_of_two = all(factor > 0 and factor & (factor - 1) == 0 for factor in compression)
    if len(compression) != 3 or not powers_of_two or compression[1] != compression[2]:
        raise UserError(
            f"compression is {list(compression)}: give three powers of two, the last two equal: [4, 8, 8]"
        )


def _check_stage(name: str, stage: StageChoices) -> None:
    _check_members(f"conv of {name}", stage.conv, tuple(CONVOLUTIONS))
    _check_members(f"upsampler of {name}", stage.upsampler, tuple(UPSAMPLERS))
    if stage.blocks != tuple(range(stage.blocks[0], stage.blocks[-1] + 1)) or stage.blocks[0] < 0:
        raise UserError(f"blocks of {name} is {list(stage.blocks)}: it must be consecutive numbers from 0 up")
    if list(stage.width) != sorted(set(stage.width)) or min(stage.width, default=1) < 1:
        raise UserError(f"width of {name} is {list(stage.width)}: it must be rising numbers above 0")


def _check_upsampler(space: "SearchSpace", index: int, name: str, stage: StageChoices) -> None:
    may_upsample = any(layout(space.compression, patch, "early")[index - 1][0] for patch in space.patch_size)
    if may_upsample == bool(stage.upsampler):
        return
    where = f"under compression {','.join(map(str, space.compression))} with patch_size "
    where += " or ".join(map(str, space.patch_size))
    if may_upsample:
        raise UserError(f"upsampler is missing in {name}, which upsamples {where}")
    raise UserError(f"{name} has an upsampler, but it never upsamples {where}: leave it out")


def _check_members(what: str, values: tuple[Any, ...], known: tuple[Any, ...]) -> None:
    for value in values:
        if value not in known:
            raise UserError(f"{what} has {value!r}: known are {', '.join(map(str, known))}")
    if len(set(values)) < len(values):
        raise UserError(f"{what} is {list(values)}: each choice must stand there once")
