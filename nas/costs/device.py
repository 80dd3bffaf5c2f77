"""Device profiles: what a device can do, as figures in a YAML file, each with its source.

Adding a device means adding `nas/costs/devices/NAME.yaml`; a file of one's own is given by its path.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search_space.errors import UserError

_PACKAGED = files("nas.costs") / "devices"


class Figure(BaseModel):
    """A positive number and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    source: Annotated[str, Field(min_length=1)]


class Share(Figure):
    """A figure that is a part of a whole, 1 at most."""

    value: Annotated[float, Field(gt=0, le=1)]


class DeviceProfile(BaseModel):
    """What `nas.costs.roofline` needs to know of a device, at fp16; M, G and T are 1e6, 1e9 and 1e12.

    Attributes:
        name: as `--device` takes it.
        description: the device in words.
        version: raised whenever a figure changes.
        array_tflop_s: rate of the multiply-add array on a convolution that fills it, TFLOP/s.
        array_channels: input and output channels that fill the array; fewer leave a share of it idle.
        vector_tflop_s: rate of what the array does badly (depthwise and narrow convolutions), TFLOP/s.
        transposed_rate: share of its rate that a transposed convolution keeps, 0 to 1.
        memory_gb_s: bandwidth of main memory, GB/s.
        cache_gb_s: bandwidth of the system-level cache, GB/s.
        bandwidth_share: share of both bandwidths that operations reach, 0 to 1.
        cache_mb: size of that cache, MB.
        dispatch_us: time to start one operation, microseconds.
        app_memory_gb: memory that one app may use, GB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1)]
    array_tflop_s: Figure
    array_channels: Figure
    vector_tflop_s: Figure
    transposed_rate: Share
    memory_gb_s: Figure
    cache_gb_s: Figure
    bandwidth_share: Share
    cache_mb: Figure
    dispatch_us: Figure
    app_memory_gb: Figure

    @property
    def digest(self) -> str:
        """Short digest of every figure and source: two estimates compare only where it agrees."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def devices() -> list[str]:
    """Names of the profiles that come with the package, sorted."""
    return sorted(
        entry.name.removesuffix(".yaml") for entry in _PACKAGED.iterdir() if entry.name.endswith(".yaml")
    )


def load_device(name: str | Path) -> DeviceProfile:
    """The profile called `name`, or the one in the file at the path `name`, which then ends in .yaml or .yml.

    Raises:
        UserError: where there is no such profile (the known ones are listed), or the file is not a valid one
            (the wrong field is named).
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            return _read(path.read_text(), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"device profile {path} can't be read: {error}") from error
    if str(name) not in devices():
        raise UserError(
            f"unknown device {str(name)!r}: known are {', '.join(devices())}, or give a profile's .yaml path"
        )
    return _read((_PACKAGED / f"{name}.yaml").read_text(), str(name))


@lru_cache
def _read(text: str, origin: str) -> DeviceProfile:
    try:
        return DeviceProfile.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UserError(f"device profile {origin} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise UserError(f"device profile {origin} is not valid at {where}: {first['msg']}") from error
