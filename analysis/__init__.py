"""What is read out of a study: its table, its front, a choice, its pictures. Nothing here is trained."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .absence import why_none as why_none
    from .choice import pick as pick
    from .design_comparison import compare_designs as compare_designs
    from .design_table import design_of as design_of
    from .design_table import designs as designs
    from .design_table import finalists as finalists
    from .design_text import described as described
    from .effects import choice_effects as choice_effects
    from .front import hypervolume as hypervolume
    from .front import hypervolume_over_trials as hypervolume_over_trials
    from .front import knee as knee
    from .front import pareto_front as pareto_front
    from .front import reference_point as reference_point
    from .importance import importances as importances
    from .output import save_figure as save_figure
    from .output import write_front_csv as write_front_csv
    from .output import write_table as write_table
    from .place import place_on_front as place_on_front
    from .place import standing as standing
    from .plots.agreement import plot_agreement as plot_agreement
    from .plots.curves import plot_curves as plot_curves
    from .plots.effects import plot_effects as plot_effects
    from .plots.front import plot_front as plot_front
    from .plots.hypervolume import plot_hypervolume as plot_hypervolume
    from .plots.importance import plot_importances as plot_importances
    from .plots.parallel import plot_parallel as plot_parallel
    from .plots.space import plot_space as plot_space
    from .plots.stages import plot_stages as plot_stages
    from .plots.studies import plot_studies as plot_studies
    from .study import flat as flat
    from .study import load_study as load_study
    from .study_comparison import compare_studies as compare_studies
    from .study_comparison import definition_differences as definition_differences
    from .uncertainty import not_told_apart as not_told_apart
    from .uncertainty import seed_spread as seed_spread

# Resolved when first asked for, so that printing a front doesn't wait for the plotting libraries.
_HOME = {
    "choice_effects": "effects",
    "compare_designs": "design_comparison",
    "compare_studies": "study_comparison",
    "definition_differences": "study_comparison",
    "design_of": "design_table",
    "described": "design_text",
    "designs": "design_table",
    "finalists": "design_table",
    "flat": "study",
    "hypervolume": "front",
    "hypervolume_over_trials": "front",
    "importances": "importance",
    "knee": "front",
    "load_study": "study",
    "not_told_apart": "uncertainty",
    "pareto_front": "front",
    "pick": "choice",
    "place_on_front": "place",
    "plot_agreement": "plots.agreement",
    "plot_curves": "plots.curves",
    "plot_effects": "plots.effects",
    "plot_front": "plots.front",
    "plot_hypervolume": "plots.hypervolume",
    "plot_importances": "plots.importance",
    "plot_parallel": "plots.parallel",
    "plot_space": "plots.space",
    "plot_stages": "plots.stages",
    "plot_studies": "plots.studies",
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
