"""How long a large study takes to load: `analysis.load_study` against Optuna's own loader.

    python benchmarks/load_study.py --trials 10000

Writes a SQLite study of that many trials, each with 24 parameters, the record of a trained design, its
learning curve and the progress it left, into a temporary directory, then loads it three times in each way and
prints the fastest; how long the same takes from a journal file, which Optuna's loader replays; and how long
its designs and its front then take.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from analysis import designs, load_study, pareto_front

CONVOLUTIONS = ("dense", "dw3", "dw5", "dw7", "spatial", "two_frame", "factored")
COPIED = (
    ("param_name, param_value, distribution_json", "trial_params"),
    ("objective, value, value_type", "trial_values"),
    ("key, value_json", "trial_user_attributes"),
)


def write(directory: Path, count: int) -> str:
    """Writes the study; returns its storage URL.

    Optuna takes 30 ms to write such a trial, so it writes a hundred, and SQL copies those.
    """
    url = f"sqlite:///{directory / 'study.db'}"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="large", storage=url, directions=["maximize", "minimize"])
    objectives = [{"name": "psnr", "direction": "maximize"}, {"name": "latency_ms", "direction": "minimize"}]
    weights = {"kind": "hub", "description": "Wan 2.1"}
    study.set_user_attr(
        "study",
        {"teacher": "wan", "weights": weights, "objectives": objectives, "constraints": [], "version": 2},
    )
    rng = np.random.default_rng(0)
    distributions: dict[str, optuna.distributions.BaseDistribution] = {}
    for stage in range(12):
        distributions[f"up_{stage}.conv"] = optuna.distributions.CategoricalDistribution(CONVOLUTIONS)
        distributions[f"up_{stage}.width"] = optuna.distributions.IntDistribution(16, 512, step=16)
    for number in range(100):
        params: dict[str, str | int] = {}
        for stage in range(12):
            params[f"up_{stage}.conv"] = CONVOLUTIONS[rng.integers(len(CONVOLUTIONS))]
            params[f"up_{stage}.width"] = 16 * int(rng.integers(1, 33))
        psnr, latency = 20 + 15 * rng.random(), 10 ** (1 + 2 * rng.random())
        record = {
            "outcome": "trained",
            "hash": f"{number:012x}",
            "seed": 0,
            "attempt": 1,
            "run": "runs/large",
            "main": "host-1234",
            "worker": "cuda:0",
            "config": {f"published_key_{i}": [64, 128, 256, 512] for i in range(25)},
            "costs": {"params": 10_000_000, "latency_ms": latency, "fps": 17e3 / latency, "fits": True},
            "proxy": {"params": 500_000},
            "metrics": {"psnr": psnr, "ssim": 0.9},
            "curve": [[step, psnr] for step in range(0, 400, 20)],
            "seconds": {"price": 0.1, "train": 9.0},
        }
        study.add_trial(
            optuna.trial.create_trial(
                values=[psnr, latency],
                params=params,
                distributions=distributions,
                user_attrs={
                    "record": record,
                    "progress": {"step": 380, "steps": 400, "curve": record["curve"]},
                },
            )
        )
    with sqlite3.connect(directory / "study.db") as connection:
        for copy in range(1, count // 100):
            connection.execute(
                "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete) SELECT"
                f" number + {100 * copy}, study_id, state, datetime_start, datetime_complete FROM trials"
                " WHERE number < 100 ORDER BY number"
            )
            for columns, name in COPIED:
                connection.execute(
                    f"INSERT INTO {name} (trial_id, {columns})"
                    f" SELECT trial_id + {100 * copy}, {columns} FROM {name} WHERE trial_id <= 100"
                )
        # Each copy is a design of its own.
        connection.execute(
            'UPDATE trial_user_attributes SET value_json = replace(value_json, \'"hash": "\','
            " '\"hash\": \"' || trial_id || '-') WHERE key = 'record'"
        )
    return url


def write_journal(directory: Path, url: str, count: int) -> Path:
    """Writes the same trials as a journal, each by one operation; a real one has several more a trial."""
    source = optuna.load_study(study_name="large", storage=url)
    path = directory / "study.log"
    storage = JournalStorage(JournalFileBackend(str(path)))
    journal = optuna.create_study(study_name="large", storage=storage, directions=["maximize", "minimize"])
    journal.set_user_attr("study", source.user_attrs["study"])
    beginning = len(path.read_text().splitlines())
    for trial in source.get_trials(deepcopy=False)[:100]:
        journal.add_trial(trial)
    operations = path.read_text().splitlines(keepends=True)[beginning:]
    with path.open("a") as file:
        file.writelines(operations * (count // 100 - 1))
    return path


def fastest(load: Callable[[], object]) -> float:
    """The shortest of three calls, in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        load()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    count = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as directory:
        url = write(Path(directory), count)
        size = (Path(directory) / "study.db").stat().st_size / 1e6
        print(f"{count} trials, {size:.0f} MB")
        print(f"{'analysis.load_study':<28}{fastest(lambda: load_study(url)):6.2f} s")
        journal = write_journal(Path(directory), url, count)
        print(f"{'load_study of a journal':<28}{fastest(lambda: load_study(journal)):6.2f} s")
        study = load_study(url)
        print(f"{'analysis.designs':<28}{fastest(lambda: designs(study)):6.2f} s")
        print(f"{'analysis.pareto_front':<28}{fastest(lambda: pareto_front(study)):6.2f} s")
        own = fastest(lambda: optuna.load_study(study_name="large", storage=url).trials_dataframe())
        print(f"{'optuna trials_dataframe':<28}{own:6.2f} s")


if __name__ == "__main__":
    main()
