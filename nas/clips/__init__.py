"""Clips to train and validate on, cut out of real videos."""

from .loading import Clips, load_clips

__all__ = ["Clips", "load_clips"]
