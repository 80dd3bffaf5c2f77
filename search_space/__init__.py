"""What can be built: decoder designs, their modules, and the spaces that a search draws them from.

Names resolve when they are first used, so that reading a configuration doesn't import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search_space.catalogue import design, design_name, designs
    from search_space.config import DecoderConfig, Stage
    from search_space.decoder import Decoder, build_decoder
    from search_space.errors import UserError
    from search_space.operators import CONVOLUTIONS, UPSAMPLERS
    from search_space.space import SearchSpace

__all__ = [
    "CONVOLUTIONS",
    "UPSAMPLERS",
    "Decoder",
    "DecoderConfig",
    "SearchSpace",
    "Stage",
    "UserError",
    "build_decoder",
    "design",
    "design_name",
    "designs",
]

_HOMES = {
    "CONVOLUTIONS": "operators",
    "UPSAMPLERS": "operators",
    "Decoder": "decoder",
    "DecoderConfig": "config",
    "SearchSpace": "space",
    "Stage": "config",
    "UserError": "errors",
    "build_decoder": "decoder",
    "design": "catalogue",
    "design_name": "catalogue",
    "designs": "catalogue",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
