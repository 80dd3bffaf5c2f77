"""Pictures of a study say what they must, and nothing on them covers anything else, whatever it holds."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from picture_reading import faults, many, words
from study_writer import random_records, refused, study_record, trained

from analysis import load_study as load
from analysis import pareto_front, plot_curves, plot_front, plot_hypervolume, plot_parallel

Plot = Callable[[pd.DataFrame], Axes]
Run = Callable[..., Path]
PLOTS = [plot_front, plot_hypervolume, plot_curves, plot_parallel]
WORSE = {"outcome": "stopped", "metrics": {}}


@pytest.mark.parametrize("plot", PLOTS)
def test_fifty_and_five_thousand(fifty: pd.DataFrame, plot: Plot) -> None:
    for study in (fifty, many(fifty, 100)):
        ax = plot(study)
        assert "Stand-in teacher, not the real one: wan" in words(ax)
        assert faults(ax) == []


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "The study has no trial yet"),
        ([refused(900.0, "fps >= 24: 18.9")], "no trained design (1 refused; the last because: fps >= 24"),
        ([trained(30.0, 200.0, name="Turbo-VAED-Hunyuan")], "Stand-in teacher"),
        (random_records(5), "Stand-in teacher"),
        ([trained(30.0, 200.0, params=params) for params in (1e6, 2e6)], "Stand-in teacher"),
        ([trained(20.0 + i, 100.0 * i, name="long " * (20 + i)) for i in range(1, 6)], "Stand-in teacher"),
    ],
    ids=["empty", "none trained", "one", "five", "two equal", "long names"],
)
def test_little_to_show(run: Run, plot: Plot, records: list[dict], said: str) -> None:
    ax = plot(load(run(records, name="of a very long name " * 5)))
    assert said in words(ax)
    assert faults(ax) == []


@pytest.mark.parametrize("plot", PLOTS)
def test_none_feasible(run: Run, named: list[dict], plot: Plot) -> None:
    record = study_record(constraints=["fps >= 5000", "params<=1M"])
    ax = plot(load(run(named, attributes={"study": record})))
    assert faults(ax) == []
    if plot is plot_front:
        assert "No design meets 'fps >= 5000': the highest of the 4 trained is 94.4444" in words(ax)


def test_front_says_what_it_rests_on(fifty: pd.DataFrame) -> None:
    ax = plot_front(fifty)
    text = words(ax)
    for part in (
        "← better Latency (ms)",
        "PSNR (dB) better →",
        "PSNR and latency of 50 trained designs (run)",
        "Costs are estimates for 17 frames of 512x512 on iphone-16-pro, from the operators of each design.",
        "width-scaled proxies",
        "Turbo-VAED-Hunyuan (#",
        "TAEHV (#",
        "Flash-VAED-Wan (#",
        "The teacher itself reaches 29.50 dB",
        "Bars across: 90 % interval of the estimated latency.",
        "Bars up: seeds move PSNR by 0.14 dB (standard deviation, 12 designs)",
        f"front, provisional ({len(pareto_front(fifty))})",
    ):
        assert part in text
    assert [t.get_text() for t in ax.child_axes[0].get_xticklabels()] == ["frames/s:  60", "30", "24"]


def test_front_numbers_are_those_of_its_designs(fifty: pd.DataFrame) -> None:
    front = pareto_front(fifty).set_index("number")
    texts = [text for text in plot_front(fifty).texts if isinstance(text, Annotation)]
    labels = [text for text in texts if text.get_text().startswith("#")]
    assert len(labels) > len(front) / 2
    for label in labels:
        design = front.loc[int(label.get_text()[1:])]
        assert label.xy == (design["latency_ms"], design["psnr"])


def test_confirmed_designs_stand_apart_from_what_the_search_saw(confirmed: pd.DataFrame) -> None:
    ax = plot_front(confirmed)
    text = words(ax)
    assert "front, confirmed (3)" in text
    assert "confirmed, but beaten (1)" in text
    assert f"front of the search ({len(pareto_front(confirmed, provisional=True))})" in text
    assert "Filled: confirmed by 2 trainings of 400 steps." in text
    assert faults(ax) == []


def test_designs_of_known_costs_alone_lie_on_the_axis(fifty: pd.DataFrame) -> None:
    published = pd.DataFrame({"name": ["TAEHV", "Turbo-VAED-Cog"], "latency_ms": [180.0, 6000.0]})
    ax = plot_front(fifty, published=published)
    assert "Turbo-VAED-Cog: costs alone" in words(ax)
    assert "TAEHV: costs alone" not in words(ax)  # it was trained
    assert ax.get_xlim()[1] > 6000
    assert faults(ax) == []


@pytest.mark.parametrize(
    "objectives", [["psnr", "params"], ["psnr", "fps"], ["latency_ms", "params"], ["ssim"]]
)
def test_front_of_other_objectives(fifty: pd.DataFrame, objectives: list[str]) -> None:
    assert faults(plot_front(fifty, objectives)) == []


def test_failures_do_not_flatten_the_front(run: Run) -> None:
    ax = plot_front(load(run([*random_records(20), trained(3.0, 100.0)])))
    assert ax.get_ylim()[0] > 20
    assert "1 design of poorer PSNR below the picture" in words(ax)


def test_unfinished_trainings_show_as_curves_alone(run: Run) -> None:
    curve = [[10, 20.0], [20, 21.0]]
    stopped = trained(0.0, 100.0, outcome="stopped", metrics={}, curve=curve)
    running = trained(0.0, 90.0, outcome="running", metrics={}, curve=None)
    running["progress"] = {"step": 20, "steps": 100, "curve": curve}
    study = load(run([*random_records(9), stopped, running]))
    ax = plot_curves(study)
    assert "stopped early (1) running (1)" in words(ax)
    assert faults(ax) == []
    assert "of 9 trained designs" in words(plot_front(study))


def test_parallel_rows_are_the_choices_and_the_objectives(fifty: pd.DataFrame) -> None:
    rows = [label.get_text() for label in plot_parallel(fifty).get_yticklabels()]
    assert rows == [
        "patch size",
        "up0 conv",
        "up0 width",
        "PSNR (dB)\nbetter →",
        "Latency (ms)\nbetter →",
    ]
