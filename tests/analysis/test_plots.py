"""Pictures say what they must and nothing on them covers anything else, whatever the study holds."""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from study_writer import random_records, refused, study_record, trained, write_study

from analysis import (
    load_study,
    pareto_front,
    plot_curves,
    plot_front,
    plot_hypervolume,
    save_figure,
    write_front_csv,
)
from search_space.errors import UserError

NAMED = [
    trained(27.2, 700.0, name="Turbo-VAED-Hunyuan"),
    trained(26.6, 180.0, name="TAEHV"),
    trained(25.9, 230.0, name="Flash-VAED-Wan"),
    trained(28.0, 900.0, name="a name " + "that goes on and on " * 10),
]
PLOTS = [plot_front, plot_hypervolume, plot_curves]
Run = Callable[..., Path]


@pytest.fixture(autouse=True)
def _close() -> object:
    yield
    plt.close("all")


def many(study: pd.DataFrame, copies: int) -> pd.DataFrame:
    """A study as large as that many of it, its latencies spread so that no two designs are the same."""
    tables = [
        study.assign(number=study["number"] + i * len(study), latency_ms=study["latency_ms"] * (1 + i / 1e4))
        for i in range(copies)
    ]
    large = pd.concat(tables, ignore_index=True)
    large.attrs = study.attrs
    return large


def words(ax: Axes) -> str:
    """All text on a picture, lines joined."""
    texts = [text.get_text() for text in ax.figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return " ".join(" ".join(texts).split())


def overlapping(ax: Axes) -> list[tuple[str, str]]:
    """Pairs of texts on a picture that cover one another."""
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    texts = [
        *[t for t in ax.texts if t.get_text().strip()],
        *(legend.get_texts() if legend else []),
        ax.xaxis.label,
        ax.yaxis.label,
        ax.title,
        ax._left_title,
        *[t for t in ax.get_xticklabels() + ax.get_yticklabels() if t.get_text()],
        *[t for child in ax.child_axes for t in child.get_xticklabels()],
    ]
    boxes = [(t.get_text().strip(), t.get_window_extent()) for t in texts if t.get_visible()]
    # The notes below a picture are two blocks at one place; the second starts with as many empty lines as
    # the first has.
    return [
        (a, b)
        for i, (a, box) in enumerate(boxes)
        for b, other in boxes[i + 1 :]
        if box.overlaps(other) and not (a.startswith(("Stand-in", "Teacher")) or box.width * other.width == 0)
    ]


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return load_study(write_study(tmp_path_factory.mktemp("fifty"), random_records(46, seed=1) + NAMED))


def test_front_of_many(fifty: pd.DataFrame) -> None:
    for study in (fifty, many(fifty, 100)):
        ax = plot_front(study)
        text = words(ax)
        assert "← better Latency (ms)" in text
        assert "PSNR (dB) better →" in text
        assert "Stand-in teacher, not the real one: wan" in text
        assert "Costs are estimates for 17 frames of 512x512 on iphone-16-pro" in text
        assert "width-scaled proxies" in text
        for name in ("Turbo-VAED-Hunyuan", "TAEHV", "Flash-VAED-Wan"):
            assert f"{name} (#" in text
        assert "The teacher itself reaches 29.50 dB" in text
        assert [t.get_text() for t in ax.child_axes[0].get_xticklabels()] == ["24", "30", "frames/s:  60"]
        assert f"front ({len(pareto_front(study))})" in text
        assert overlapping(ax) == []


def test_front_numbers_are_those_of_its_designs(fifty: pd.DataFrame) -> None:
    front = pareto_front(fifty).set_index("number")
    labels = [
        t for t in plot_front(fifty).texts if isinstance(t, Annotation) and t.get_text().startswith("#")
    ]
    assert len(labels) > len(front) / 2
    for label in labels:
        design = front.loc[int(label.get_text()[1:])]
        assert label.xy == (design["latency_ms"], design["psnr"])


@pytest.mark.parametrize(
    "objectives", [["psnr", "params"], ["psnr", "fps"], ["latency_ms", "params"], ["ssim"]]
)
def test_front_of_other_objectives(fifty: pd.DataFrame, objectives: list[str]) -> None:
    assert overlapping(plot_front(fifty, objectives)) == []


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "No trial yet"),
        (
            [refused(900.0, "fps >= 24: 18.9")],
            "No trained design to show: 1 refused; the last because: fps >= 24: 18.9",
        ),
        ([trained(30.0, 200.0, name="Turbo-VAED-Hunyuan")], "Stand-in teacher"),
    ],
)
def test_little_to_show(
    run: Run, plot: Callable[[pd.DataFrame], Axes], records: list[dict], said: str
) -> None:
    ax = plot(load_study(run(records)))
    assert said in words(ax)
    assert overlapping(ax) == []


def test_none_feasible(run: Run) -> None:
    record = study_record(constraints=["fps >= 5000", "params<=1M"])
    ax = plot_front(load_study(run(NAMED, attributes={"study": record})))
    assert "No trained design meets fps >= 5000 and params<=1M" in words(ax)


def test_failures_do_not_flatten_the_front(run: Run) -> None:
    ax = plot_front(load_study(run([*random_records(20), trained(3.0, 100.0)])))
    assert ax.get_ylim()[0] > 20
    assert "1 design of poorer PSNR below the picture" in words(ax)


@pytest.mark.parametrize("plot", [plot_hypervolume, plot_curves])
def test_other_plots_of_many(fifty: pd.DataFrame, plot: Callable[[pd.DataFrame], Axes]) -> None:
    for study in (fifty, many(fifty, 100)):
        ax = plot(study)
        assert "Stand-in teacher" in words(ax)
        assert overlapping(ax) == []


def test_files_appear_whole(fifty: pd.DataFrame, tmp_path: Path) -> None:
    write_front_csv(pareto_front(fifty), tmp_path / "front.csv")
    read = pd.read_csv(tmp_path / "front.csv")
    assert list(read["number"]) == list(pareto_front(fifty)["number"])
    assert set(read["weights"]) == {"stand-in"}
    save_figure(plot_front(fifty).figure, tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    for path, message in {
        "front.gif": "ends in .png, .svg or .pdf",
        "no/front.png": "No such file or directory",
        "front.csv/front.png": "Not a directory",
    }.items():
        with pytest.raises(UserError, match=message):
            save_figure(plt.figure(), tmp_path / path)
    assert {path.name for path in tmp_path.iterdir()} == {"front.csv", "front.png"}
