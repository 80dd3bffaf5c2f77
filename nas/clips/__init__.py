"""Clips to train and validate on, cut out of real videos.

Names resolve when they are first used, so that looking for videos doesn't import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import Clips, load_clips

__all__ = ["Clips", "load_clips"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".loading", __name__), name)
