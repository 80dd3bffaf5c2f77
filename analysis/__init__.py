"""What is read out of a study: its table, its front, a choice, its pictures. Nothing here is trained."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .absence import why_none as why_none
    from .choice import pick as pick
    from .design_table import design_of as design_of
    from .design_table import designs as designs
    from .design_table import finalists as finalists
    from .front import hypervolume as hypervolume
    from .front import hypervolume_over_trials as hypervolume_over_trials
    from .front import knee as knee
    from .front import pareto_front as pareto_front
    from .front import reference_point as reference_point
    from .output import save_figure as save_figure
    from .output import write_front_csv as write_front_csv
    from .output import write_table as write_table
    from .place import place_on_front as place_on_front
    from .place import standing as standing
    from .plots import plot_curves as plot_curves
    from .plots import plot_front as plot_front
    from .plots import plot_hypervolume as plot_hypervolume
    from .space_plot import plot_space as plot_space
    from .study import flat as flat
    from .study import load_study as load_study
    from .uncertainty import not_told_apart as not_told_apart
    from .uncertainty import seed_spread as seed_spread

# Resolved when first asked for, so that printing a front doesn't wait for the plotting libraries.
_HOME = {
    "design_of": "design_table",
    "designs": "design_table",
    "finalists": "design_table",
    "flat": "study",
    "hypervolume": "front",
    "hypervolume_over_trials": "front",
    "knee": "front",
    "load_study": "study",
    "not_told_apart": "uncertainty",
    "pareto_front": "front",
    "pick": "choice",
    "place_on_front": "place",
    "plot_curves": "plots",
    "plot_front": "plots",
    "plot_hypervolume": "plots",
    "plot_space": "space_plot",
    "reference_point": "front",
    "save_figure": "output",
    "seed_spread": "uncertainty",
    "standing": "place",
    "why_none": "absence",
    "write_front_csv": "output",
    "write_table": "output",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute '{name}'")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
