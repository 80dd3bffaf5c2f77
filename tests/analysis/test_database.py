"""PostgreSQL, whose types aren't SQLite's, gives the table that the same study gives from a file."""

from pathlib import Path

import optuna
import pandas as pd
from study_writer import trained, write_study

from analysis import load_study


def test_is_the_table_of_the_same_study_in_a_file(database: str, tmp_path: Path) -> None:
    progress = {"step": 3, "steps": 9, "curve": [[3, 20.0]]}
    running = {"outcome": "running"}
    file = write_study(tmp_path / "run", [trained(31.5, 200.0), running | {"progress": progress}])
    optuna.copy_study(
        from_study_name="run",
        from_storage=f"sqlite:///{file / 'study.db'}",
        to_storage=database,
    )
    times = ["started", "finished"]
    read = load_study(database).drop(columns=times)
    pd.testing.assert_frame_equal(read, load_study(file).drop(columns=times))
    assert read.loc[1, "curve"] == progress["curve"]
