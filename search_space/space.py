"""The space that a search draws designs from, and the ways to go from one design to others.

A design is a flat set of parameters, the same for every design, so that samplers and importances can work
with it: patch_size, time_doubling, time_padding and, for each stage, width, blocks, conv and upsampler. One
that means nothing in some design (the upsampler of a block that keeps its size) changes nothing there.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, Protocol

import numpy as np

from search_space.catalogue import design
from search_space.config import DecoderConfig, Stage
from search_space.design_arrays import draw
from search_space.errors import UserError
from search_space.operators import UPSAMPLERS
from search_space.space_check import check_space
from search_space.space_file import STAGE_KEYS, StageChoices, preset_path, presets, read_space_file
from search_space.space_layout import Layout, layout


class Trial(Protocol):
    """What `SearchSpace.suggest` needs of an Optuna trial."""

    def suggest_int(self, name: str, low: int, high: int) -> int: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


@dataclass(frozen=True)
class Parameter:
    """One thing to choose.

    Ordered choices are suggested as integers, so that samplers see the order: blocks by their number, widths
    by their rank among the choices, for which the name ends in `_rank`.
    """

    name: str
    choices: tuple[Any, ...]
    ordered: bool = False

    @property
    def values(self) -> tuple[Any, ...]:
        """What is suggested for each choice."""
        return tuple(range(len(self.choices))) if self.name.endswith("_rank") else self.choices

    def suggest(self, trial: Trial) -> Any:
        if self.ordered:
            return trial.suggest_int(self.name, self.values[0], self.values[-1])
        return trial.suggest_categorical(self.name, self.choices)

    def choice(self, value: Any) -> Any:
        """The choice that a suggested value stands for. Raises UserError for another value."""
        if value not in self.values:
            raise UserError(f"{self.name} is {value!r}: it must be one of {', '.join(map(str, self.values))}")
        return self.choices[self.values.index(value)]

    def value(self, choice: Any) -> Any:
        """What is suggested for a choice. Raises UserError for what isn't one."""
        if choice not in self.choices:
            what = self.name.removesuffix("_rank")
            raise UserError(f"{what} is {choice}, but the space has {', '.join(map(str, self.choices))}")
        return self.values[self.choices.index(choice)]


@dataclass(frozen=True)
class SearchSpace:
    """Choices for each of a design's parameters; `space_file` describes the file that it is read from.

    compression: video frames, rows and columns for one of the latent.
    time_doubling: "early", "late" or both: whether the first or the last up blocks that upsample double time.
    stages: of the middle block and the four up blocks.
    first_design: name of the design to try first, or None for the middle of the space.

    Raises UserError for choices of which some can't be built.
    """

    teacher: str
    latent_channels: int
    compression: tuple[int, ...]
    patch_size: tuple[int, ...]
    time_doubling: tuple[str, ...]
    time_padding: tuple[str, ...]
    stages: tuple[StageChoices, ...]
    first_design: str | None = None
    keeps_first_frames: bool = False

    def __post_init__(self) -> None:
        check_space(self)
        if self.first_design is not None:
            try:
                self.parameters(self.first)
            except UserError as error:
                raise UserError(f"first: {self.first_design}: {error}; name another or null") from None

    @classmethod
    def preset(cls, teacher: str) -> "SearchSpace":
        """The space for a known teacher. Raises UserError for another."""
        return cls.load(preset_path(teacher))

    @classmethod
    def for_latents(
        cls, teacher: str, latent_channels: int, compression: tuple[int, int, int], keeps_first_frames: bool
    ) -> "SearchSpace":
        """The preset of this compression, for a teacher that has none of its own.

        Raises UserError for a compression that no preset has.
        """
        spaces = [cls.preset(name) for name in presets()]
        for space in spaces:
            if tuple(space.compression) == compression:
                return replace(
                    space,
                    teacher=teacher,
                    latent_channels=latent_channels,
                    keeps_first_frames=keeps_first_frames,
                )
        known = sorted({",".join(map(str, space.compression)) for space in spaces})
        raise UserError(
            f"compression {','.join(map(str, compression))} of {teacher}: there are spaces for "
            f"{' and '.join(known)}; write a space file for another"
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "SearchSpace":
        """Reads a space file. Raises UserError, naming the file and the key."""
        try:
            return cls(**read_space_file(path))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    @staticmethod
    def presets() -> list[str]:
        """Teachers that have a space."""
        return presets()

    def to_dict(self) -> dict[str, Any]:
        """What a space file holds, with `extends` resolved, ready for JSON or YAML."""
        stages = {}
        for name, stage in zip(STAGE_KEYS, self.stages, strict=True):
            stages[name] = {key: list(choices) for key, choices in vars(stage).items() if choices}
        return {
            "teacher": self.teacher,
            "latent_channels": self.latent_channels,
            "compression": list(self.compression),
            "first": self.first_design,
            "keeps_first_frames": self.keeps_first_frames,
            "patch_size": list(self.patch_size),
            "time_doubling": list(self.time_doubling),
            "time_padding": list(self.time_padding),
            **stages,
        }

    @cached_property
    def asked(self) -> tuple[Parameter, ...]:
        """All parameters, in the order in which they are suggested."""
        found = [
            Parameter("patch_size", self.patch_size),
            Parameter("time_doubling", self.time_doubling),
            Parameter("time_padding", self.time_padding),
        ]
        for name, stage in zip(STAGE_KEYS, self.stages, strict=True):
            if stage.width:
                found.append(Parameter(f"{name}_width_rank", stage.width, ordered=True))
            found.append(Parameter(f"{name}_blocks", stage.blocks, ordered=True))
            found.append(Parameter(f"{name}_conv", stage.conv))
            if stage.upsampler:
                found.append(Parameter(f"{name}_upsampler", stage.upsampler))
        return tuple(found)

    @property
    def first(self) -> DecoderConfig:
        """The design to try first: in the presets the published one of this compression.

        A named design is fitted to the latents of the space: their channels, and whether first frames stay.
        """
        if self.first_design is not None:
            return replace(
                design(self.first_design),
                latent_channels=self.latent_channels,
                keeps_first_frames=self.keeps_first_frames,
                carried={},
            )
        middle = {p.name: p.values[(len(p.values) - 1) // 2 if p.ordered else 0] for p in self.asked}
        return self.config(middle)

    def suggest(self, trial: Trial) -> DecoderConfig:
        """Asks an Optuna trial for a design: always the same parameters with the same choices."""
        return self.config({parameter.name: parameter.suggest(trial) for parameter in self.asked})

    def sample(self, rng: np.random.Generator) -> DecoderConfig:
        """A random design; `design_arrays.draw` gives many at once, and says how."""
        return self.at(draw(self, rng, 1)[0])

    def at(self, positions: np.ndarray) -> DecoderConfig:
        """The design whose choices stand at these positions, [len(asked)]: a row of `design_arrays.draw`."""
        chosen = zip(self.asked, positions, strict=True)
        return self.config({parameter.name: parameter.values[position] for parameter, position in chosen})

    def positions(self, config: DecoderConfig) -> np.ndarray:
        """Where the choices of a design of this space stand, int64 [len(asked)]: what `at` takes.

        Raises UserError for a design outside the space.
        """
        given = self.parameters(config)
        return np.array([parameter.values.index(given[parameter.name]) for parameter in self.asked])

    def neighbours(self, config: DecoderConfig) -> list[DecoderConfig]:
        """Designs that differ in one parameter, by one step where it is ordered; each architecture once."""
        here = self.parameters(config)
        found = {config.hash: config}
        for parameter in self.asked:
            values = parameter.values
            if parameter.ordered:
                position = values.index(here[parameter.name])
                values = values[max(position - 1, 0) : position + 2]
            for value in values:
                neighbour = self.config(here | {parameter.name: value})
                found.setdefault(neighbour.hash, neighbour)
        del found[config.hash]
        return list(found.values())

    def config(self, parameters: Mapping[str, Any]) -> DecoderConfig:
        """The design with these parameters, valued as `suggest` asks. Raises UserError for other values."""
        names = [parameter.name for parameter in self.asked]
        if wrong := sorted(set(names) ^ set(parameters)):
            raise UserError(f"parameter {wrong[0]} is missing or unknown: give {', '.join(names)}")
        chosen = {parameter.name: parameter.choice(parameters[parameter.name]) for parameter in self.asked}
        placement = layout(self.compression, chosen["patch_size"], chosen["time_doubling"])
        stages = [Stage(chosen["up0_width_rank"], chosen["mid_blocks"], chosen["mid_conv"])]
        for name, (upsamples, doubles_time) in zip(STAGE_KEYS[1:], placement, strict=True):
            upsampler = _built(chosen[f"{name}_upsampler"], doubles_time) if upsamples else None
            width, blocks, conv = (chosen[f"{name}_{key}"] for key in ("width_rank", "blocks", "conv"))
            stages.append(Stage(width, blocks, conv, upsampler, doubles_time))
        return DecoderConfig(
            latent_channels=self.latent_channels,
            stages=tuple(stages),
            patch_size=chosen["patch_size"],
            time_padding=chosen["time_padding"],
            keeps_first_frames=self.keeps_first_frames,
        )

    def parameters(self, config: DecoderConfig) -> dict[str, Any]:
        """The parameters of a design of this space, for `config` or for `study.enqueue_trial`.

        Those that mean nothing in it take their first choice. Raises UserError for a design outside the
        space, saying what is outside.
        """
        for what, of_space, of_design in (
            ("latent channels", self.latent_channels, config.latent_channels),
            ("compression", tuple(self.compression), config.compression),
            ("keeps_first_frames", self.keeps_first_frames, config.keeps_first_frames),
            ("resnet_norm_eps", DecoderConfig.norm_eps, config.norm_eps),
        ):
            if of_space != of_design:
                raise UserError(f"{what} is {of_design}, but the space has {of_space}")
        choices: dict[str, Any] = {
            "patch_size": config.patch_size,
            "time_doubling": self._time_doubling(config),
            "time_padding": config.time_padding,
        }
        for name, stage, offered in zip(STAGE_KEYS, config.stages, self.stages, strict=True):
            choices[f"{name}_width_rank"] = stage.width
            choices[f"{name}_blocks"] = stage.blocks
            choices[f"{name}_conv"] = stage.conv
            choices[f"{name}_upsampler"] = _chosen(stage, offered.upsampler)
        return {parameter.name: parameter.value(choices[parameter.name]) for parameter in self.asked}

    @cached_property
    def size(self) -> int:
        """How many different architectures (by `DecoderConfig.hash`) the space holds."""
        placements = {
            (patch, layout(self.compression, patch, time_doubling))
            for patch, time_doubling in product(self.patch_size, self.time_doubling)
        }
        return len(self.time_padding) * sum(self._count(placement) for _, placement in placements)

    def _time_doubling(self, config: DecoderConfig) -> str:
        """The choice that places upsamplers as this design does. Raises UserError if none does."""
        placement = tuple((stage.upsampler is not None, stage.doubles_time) for stage in config.stages[1:])
        for choice in self.time_doubling:
            if placement == layout(self.compression, config.patch_size, choice):
                return choice
        upsampling, doubling = (
            ", ".join(name for name, flags in zip(STAGE_KEYS[1:], placement, strict=True) if flags[which])
            for which in (0, 1)
        )
        raise UserError(
            f"it upsamples in {upsampling} and doubles time in {doubling}, but the space upsamples in the "
            f"last up blocks and doubles time {' or '.join(self.time_doubling)}"
        )

    def _count(self, placement: Layout) -> int:
        """Architectures with this layout: ways to reach each width, carried from stage to stage."""
        mid, *ups = self.stages
        in_mid = sum(len(mid.conv) if blocks else 1 for blocks in mid.blocks)
        # The middle block is as wide as up0.
        ways = dict.fromkeys(ups[0].width, in_mid)
        for index, (stage, (upsamples, doubles_time)) in enumerate(zip(ups, placement, strict=True)):
            upsamplers = {_built(name, doubles_time) for name in stage.upsampler} if upsamples else {None}
            onward = dict.fromkeys(stage.width, 0)
            for (before, count), width, upsampler in product(ways.items(), stage.width, upsamplers):
                if index == 0 and width != before:
                    continue
                by_upsampler = upsampler is not None and UPSAMPLERS[upsampler].changes_width
                conv_in = width != before and not by_upsampler
                onward[width] += count * sum(len(stage.conv) if n or conv_in else 1 for n in stage.blocks)
            ways = onward
        return sum(ways.values())


def _built(upsampler: str, doubles_time: bool) -> str:
    """What is built for a chosen upsampler: growing frames means nothing where time isn't doubled."""
    return upsampler if doubles_time else UPSAMPLERS[upsampler].without_time or upsampler


def _chosen(stage: Stage, offered: tuple[str, ...]) -> str | None:
    """The offered upsampler that builds this stage's, the first where it has none."""
    if stage.upsampler is None:
        return next(iter(offered), None)
    same = (name for name in offered if _built(name, stage.doubles_time) == stage.upsampler)
    return next(same, stage.upsampler)
