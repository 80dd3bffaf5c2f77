"""Teachers: the frozen autoencoders of latent video models, through diffusers' own classes."""

from .loading import load_teacher
from .registry import KnownTeacher, teachers
from .teacher import LatentStatistics, Teacher
from .weights import WeightsInUse, cached_folder, stand_in_folder

__all__ = [
    "KnownTeacher",
    "LatentStatistics",
    "Teacher",
    "WeightsInUse",
    "cached_folder",
    "load_teacher",
    "stand_in_folder",
    "teachers",
]
