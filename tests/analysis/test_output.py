"""Files that a reading leaves: whole or not there."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from study_writer import random_records, write_study

from analysis import load_study, pareto_front, plot_front, save_figure, write_front_csv
from search_space.errors import UserError


def test_files_appear_whole(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "run", random_records(9)))
    folder = tmp_path / "files"
    folder.mkdir()
    write_front_csv(pareto_front(study), folder / "front.csv")
    read = pd.read_csv(folder / "front.csv")
    assert list(read["number"]) == list(pareto_front(study)["number"])
    assert set(read["weights"]) == {"stand-in"}
    save_figure(plot_front(study).figure, folder / "front.png")
    assert (folder / "front.png").read_bytes().startswith(b"\x89PNG")
    for path, message in {
        "front.gif": "ends in .png, .svg or .pdf",
        "no/front.png": "No such file or directory",
        "front.csv/front.png": "Not a directory",
    }.items():
        with pytest.raises(UserError, match=message):
            save_figure(plt.figure(), folder / path)
    assert {path.name for path in folder.iterdir()} == {"front.csv", "front.png"}
    plt.close("all")
