"""A study on disk becomes the table that was meant."""

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pandas as pd
import pytest
from study_writer import costs, refused, study_record, trained, write_study

from analysis import load_study
from nas.cli.watch import headline
from nas.record import FAILED, INTERRUPTED, LOST
from search_space.errors import UserError

Run = Callable[..., Path]


def test_one_row_a_trial(run: Run) -> None:
    failed = trained(30.0, 100.0) | {
        "outcome": "failed",
        "reason": "loss became NaN at step 7",
        "metrics": {},
    }
    directory = run(
        [
            trained(31.5, 200.0, params=40.7e6, name="Turbo-VAED-Hunyuan"),
            refused(900.0, "fps >= 24: 18.9"),
            failed,
            {"outcome": "running"},
        ]
    )
    study = load_study(directory)
    assert list(study["number"]) == [0, 1, 2, 3]
    assert list(study["state"]) == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert list(study["outcome"]) == ["trained", "refused", "failed", "running"]
    assert list(study["reason"].dropna()) == ["fps >= 24: 18.9", "loss became NaN at step 7"]
    first = study.loc[0]
    assert first["name"] == "Turbo-VAED-Hunyuan"
    assert first["params"] == 40.7e6
    assert first["fps"] == pytest.approx(85.0)
    assert first["source"] == "trace"
    assert first["proxy.params"] == 40.7e6 // 16
    assert first["ssim"] == pytest.approx(0.815)
    assert first["seconds.train"] == 9.0
    assert first["curve"][-1][0] == 100
    assert bool(first["fits"])
    assert pd.isna(study.loc[3, "fits"])
    for word in ("name", "reason", "hash", "source"):
        assert study.loc[3, word] is None
    assert study["psnr"].notna().sum() == 1
    assert set(study["weights"]) == {"stand-in"}
    assert study.attrs["study"]["frames"] == 17
    assert study.attrs["name"] == "run"


@pytest.mark.parametrize("reason", [INTERRUPTED, LOST])
def test_what_was_cut_off_and_is_tried_again_did_not_fail(run: Run, reason: str) -> None:
    cut_off = trained(30.0, 100.0) | {"outcome": FAILED, "reason": reason, "metrics": {}}
    study = load_study(run([cut_off, trained(30.0, 100.0)]))
    assert list(study["outcome"]) == ["interrupted", "trained"]
    assert "1 trained + 1 interrupted (tried again)" in headline(study)


def test_a_running_trial_shows_how_far_it_came(run: Run) -> None:
    progress = {"step": 40, "steps": 100, "curve": [[0, 12.0], [40, 20.5]]}
    stopped = {"step": 40, "psnr": 15.5, "seconds_left": 60.0, "chance": 0.03}
    beat = {"host": "a", "process": 7, "started": "2026-01-01T00:00:00", "beat": "2026-01-01T00:10:00"}
    records = [
        trained(31.0, 200.0, progress=progress),
        {"outcome": "running", "main": "m1", "worker": "cuda:0", "attempt": 2, "progress": progress},
        {"outcome": "claimed", "main": "m1"},
        trained(20.0, 300.0) | {"outcome": "stopped", "metrics": {}, "stopped": stopped},
    ]
    study = load_study(run(records, attributes={"main:m1": beat}))
    assert list(study["outcome"]) == ["trained", "running", "running", "stopped"]
    assert study["progress.step"].to_list() == [pd.NA, 40, pd.NA, pd.NA]
    assert study.loc[1, "curve"] == progress["curve"]
    assert study.loc[1, "attempt"] == 2
    assert study.loc[1, "worker"] == "cuda:0"
    assert study.loc[0, "curve"] == records[0]["curve"]
    assert study.loc[3, "curve"][-1][0] == 100
    assert {key: study.loc[3, f"stopped.{key}"] for key in stopped} == stopped
    assert study.attrs["mains"] == [{"id": "m1"} | beat]


def test_parameters_are_those_optuna_decodes(run: Run) -> None:
    directory = run([trained(30.0 + i, 100.0 + i) for i in range(5)])
    trials = optuna.load_study(study_name="run", storage=f"sqlite:///{directory / 'study.db'}").trials
    study = load_study(directory)
    for name in ("up0_conv", "up0_width", "patch_size"):
        assert list(study[f"param.{name}"]) == [trial.params[name] for trial in trials]


def test_costs_priced_again_take_the_place_of_the_first(run: Run) -> None:
    again = costs(260.0, source="coreml")
    study = load_study(
        run([trained(30.0, 200.0), trained(29.0, 100.0)], attributes={"repriced": {"0": again}})
    )
    assert list(study["latency_ms"]) == [260.0, 100.0]
    assert list(study["source"]) == ["coreml", "trace"]


@pytest.mark.parametrize("records", [[], [{"outcome": "running"}]])
def test_a_study_without_results_has_every_column(run: Run, records: list[dict]) -> None:
    study = load_study(run(records))
    assert len(study) == len(records)
    assert {"psnr", "latency_ms", "fits", "source", "curve"} <= set(study.columns)
    assert study["psnr"].dtype == float
    assert all(source is None for source in study["source"])


def test_a_run_directory_a_file_and_a_url_are_the_same(run: Run) -> None:
    directory = run([trained(30.0, 200.0)])
    for study in (directory / "study.db", f"sqlite:///{directory / 'study.db'}"):
        pd.testing.assert_frame_equal(load_study(study), load_study(directory))


def test_reads_beside_a_writer_and_leaves_the_file_as_it_is(run: Run) -> None:
    database = run([trained(30.0, 200.0)]) / "study.db"
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO trials (number, study_id, state) VALUES (1, 1, 'RUNNING')")
    assert len(load_study(database)) == 1
    writer.execute("ROLLBACK")
    writer.close()
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before


def test_what_a_killed_writer_left_half_written_is_undone(run: Run) -> None:
    database = run([trained(30.0, 200.0), trained(31.0, 300.0)]) / "study.db"
    code = f"""
import os, signal, sqlite3
connection = sqlite3.connect({str(database)!r}, isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the transaction ends
connection.execute("BEGIN IMMEDIATE")
for table in ("trials", "trial_params", "trial_user_attributes", "trial_values", "study_user_attributes"):
    connection.execute(f"DELETE FROM {{table}}")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert database.with_name("study.db-journal").exists()
    assert list(load_study(database)["psnr"]) == [30.0, 31.0]


def test_what_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not a database, though long enough to look like one" * 20)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (a)").connection.close()
    optuna.create_study(study_name="mine", storage=f"sqlite:///{tmp_path / 'foreign.db'}")
    for place, message in {
        "missing": "doesn't exist",
        "empty": "has no study.db",
        "notes.txt": "can't be read as a study: file is not a database",
        "other.db": "can't be read as a study: no such table: studies",
        "foreign.db": "not one that `nas search` made",
    }.items():
        with pytest.raises(UserError) as error:
            load_study(tmp_path / place)
        assert place in str(error.value)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///missing.db",
        "sqlite://",
        "postgres//",
        "nosuch://a:secret@b/c",
        "postgresql://a:secret@b:port/c",
    ],
)
def test_wrong_urls(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        load_study(url)
    assert "secret" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_several_studies_in_one_storage(run: Run) -> None:
    directory = run([trained(30.0, 200.0)], name="a")
    write_study(
        directory, [trained(31.0, 300.0)], name="b", attributes={"study": study_record(teacher="ltx")}
    )
    with pytest.raises(UserError, match="say which: a, b"):
        load_study(directory)
    with pytest.raises(UserError, match="no study 'c'; there are: a, b"):
        load_study(directory, "c")
    study = load_study(directory, "b")
    assert list(study["psnr"]) == [31.0]
    assert list(study["teacher"]) == ["ltx"]
