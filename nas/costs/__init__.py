"""Static costs of a decoder, from its configuration: parameters, FLOPs, latency and memory on a device.

`estimate` needs torch, so it is imported when it is first used; `load_device` and `devices` don't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas.costs.device import DeviceProfile, devices, load_device

if TYPE_CHECKING:
    from nas.costs.estimation import Estimate, estimate

__all__ = ["DeviceProfile", "Estimate", "devices", "estimate", "load_device"]


def __getattr__(name: str) -> Any:
    if name in ("Estimate", "estimate"):
        from nas.costs import estimation

        return getattr(estimation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
