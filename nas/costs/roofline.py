"""Time of an operation on a device: a table from kind of operation to a small pure function.

Each takes max(work / rate, bytes / bandwidth) plus the time to start it (Williams et al., "Roofline", CACM
2009). To price a kind in another way, change its function here; figures belong in the profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nas.costs.device import DeviceProfile
from nas.costs.operations import Operation


def price(operations: Iterable[Operation], profile: DeviceProfile) -> float:
    """Time of `operations` one after the other on the device of `profile`, ms."""
    return sum(operation_ms(operation, profile) for operation in operations)


def operation_ms(operation: Operation, profile: DeviceProfile) -> float:
    """Time of one operation, ms."""
    return PRICES[operation.kind](operation, profile) * 1e3 + profile.dispatch_us.value * 1e-3


def _moved(operation: Operation, profile: DeviceProfile) -> float:
    """Seconds to move an operation's bytes.

    What fits in the system-level cache comes from there; only the rest of the working set crosses main
    memory. That keeps the price continuous in size, where a threshold would jump.
    """
    cached = min(operation.bytes, profile.cache_mb.value * 1e6)
    from_memory = operation.bytes - cached
    seconds = cached / (profile.cache_gb_s.value * 1e9) + from_memory / (profile.memory_gb_s.value * 1e9)
    return seconds / profile.bandwidth_share.value


def _dense_rate(operation: Operation, profile: DeviceProfile) -> float:
    """FLOP/s of a dense convolution or matrix product.

    The array multiplies a tile of input channels by a tile of output channels, so narrow ones leave idle what
    they do not fill on either side. Where less remains than the vector units give, those do the work.
    """
    filled = [min(1.0, channels / profile.array_channels.value) for channels in operation.channels]
    return max(profile.array_tflop_s.value * filled[0] * filled[1], profile.vector_tflop_s.value) * 1e12


def _dense(operation: Operation, profile: DeviceProfile) -> float:
    return max(operation.flops / _dense_rate(operation, profile), _moved(operation, profile))


def _transposed(operation: Operation, profile: DeviceProfile) -> float:
    rate = _dense_rate(operation, profile) * profile.transposed_rate.value
    return max(operation.flops / rate, _moved(operation, profile))


def _depthwise(operation: Operation, profile: DeviceProfile) -> float:
    return max(operation.flops / (profile.vector_tflop_s.value * 1e12), _moved(operation, profile))


# Kind to seconds. All of `nas.costs.operations.KINDS` are here.
PRICES: Mapping[str, Callable[[Operation, DeviceProfile], float]] = {
    "convolution": _dense,
    "matrix_product": _dense,
    "transposed_convolution": _transposed,
    "depthwise_convolution": _depthwise,
    "elementwise": _moved,
    "reduction": _moved,
    "normalization": _moved,
    "movement": _moved,
}
