"""The picture of a space, and the table it is drawn from."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis import plot_space, save_figure, write_table
from search_space.errors import UserError


@pytest.fixture
def sweep() -> pd.DataFrame:
    """Designs of a made-up space, one with a name; every third misses a constraint."""
    rng = np.random.default_rng(0)
    flops = rng.lognormal(26, 1, size=300)
    table = pd.DataFrame(
        {
            "name": [None] * 299 + ["TAEHV"],
            "flops": flops,
            "latency_ms": flops / 1e9 * rng.lognormal(0, 0.3, size=300),
            "busiest": rng.choice([f"operator {number}" for number in range(12)], size=300),
            "meets": np.arange(300) % 3 > 0,
        }
    )
    table.attrs["sweep"] = {
        "teacher": "wan",
        "size": 6.2e13,
        "device": "iphone-16-pro",
        "resolution": [512, 768],
        "frames": 17,
        "source": "trace",
        "constraints": ["fps >= 24"],
    }
    return table


def words(figure: plt.Figure) -> str:
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return " ".join(" ".join(texts).split())


def test_says_what_was_swept_and_where_the_time_goes(sweep: pd.DataFrame, tmp_path: Path) -> None:
    front = sweep.nsmallest(5, "latency_ms")
    figure = plot_space(sweep, front).figure
    save_figure(figure, tmp_path / "space.png")
    said = words(figure)
    assert "17 frames of 512x768 on iphone-16-pro" in said
    assert "6.2e+13 designs" in said
    assert "misses a constraint (100)" in said
    for part in ("others (", "exact front", "TAEHV", "300 designs of the space of wan"):
        assert part in said
    plt.close("all")


def test_nothing_that_meets_is_said_in_words(sweep: pd.DataFrame) -> None:
    said = words(plot_space(sweep.assign(meets=False), sweep.head(0)).figure)
    assert "No design of the sweep meets fps >= 24" in said
    plt.close("all")


@pytest.mark.parametrize(("name", "read"), [("t.csv", pd.read_csv), ("t.parquet", pd.read_parquet)])
def test_a_table_is_written_whole(sweep: pd.DataFrame, tmp_path: Path, name: str, read) -> None:
    write_table(sweep, tmp_path / name)
    assert read(tmp_path / name)["latency_ms"].to_numpy() == pytest.approx(sweep["latency_ms"].to_numpy())


def test_a_table_of_another_format_is_refused(sweep: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"t\.xlsx: a table ends in \.csv or \.parquet"):
        write_table(sweep, tmp_path / "t.xlsx")
