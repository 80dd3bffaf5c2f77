"""What goes to the phone: a decoder rewritten for Core ML, for a batch of one, with the same numbers.

"conv3d" keeps three-dimensional convolutions, "shifted_2d" makes each a sum of two-dimensional ones over
shifted frames, which the Neural Engine takes. What is priced, packaged and streamed is a lowered decoder.

`lower` needs torch, so it is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from nas.lowering.decoder import LoweredDecoder, lower

Lowering = Literal["conv3d", "shifted_2d"]
LOWERINGS: tuple[Lowering, ...] = get_args(Lowering)

__all__ = ["LOWERINGS", "LoweredDecoder", "Lowering", "lower"]


def __getattr__(name: str) -> Any:
    if name in ("LoweredDecoder", "lower"):
        from nas.lowering import decoder

        return getattr(decoder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
