"""What is found wrong with a search before anything heavy is loaded."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage
from typer.testing import CliRunner

from nas import storage as storages
from nas.checked_request import check
from nas.cli import app
from nas.request import Request
from search_space.errors import UserError

SHIPPED = Path(__file__).parents[3] / "benchmarks" / "studies" / "wan-h100"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"budget": -1}, "budget -1"),
        ({"budget": 0}, "budget 0"),
        ({"seed": -1}, "seed -1"),
        ({"confirm": -1}, "confirm -1"),
        ({"workers": 0}, "workers 0"),
        ({"frames": 0}, "frames 0"),
        ({"device": "nokia"}, "nokia"),
        ({"name": "../x"}, "'../x'"),
        ({"objectives": "psnr,beauty"}, "'beauty'"),
        ({"constraints": ("psnr>=30",)}, "known only after training"),
        ({"constraints": ("beauty>=30",)}, "'beauty'"),
        ({"data": Path("nowhere")}, "nowhere"),
        ({"space": "nowhere.yaml"}, "nowhere.yaml"),
        ({"space": "wrong.yaml"}, "'patch'"),
        ({"settings": "nowhere.yaml"}, "nowhere.yaml"),
        ({"out": Path("wrong.yaml/run")}, "wrong.yaml is no folder"),
        ({"prior": "nowhere"}, "prior 'nowhere': there is no nowhere"),
        ({"storage": "nonsense"}, "'nonsense' can't be opened"),
        ({"storage": "postgresql+psycopg://me:secret@127.0.0.1:1/db"}, "Connection refused"),
        ({"out": SHIPPED, "teacher": "ltx"}, "was begun with teacher wan, not ltx"),
        ({"out": SHIPPED}, "was begun with device_digest"),
    ],
)
def test_it_is_said_in_one_line_and_leaves_nothing(
    asked: dict[str, Any], said: str, small_space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(small_space.replace("patch_size", "patch"))
    with pytest.raises(UserError) as error:
        check(Request(**asked), print)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "wrong.yaml"]


@pytest.fixture
def leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A storage that another process holds from the moment on that it is opened."""
    monkeypatch.setattr(storages, "_BUSY_S", 0.0)
    monkeypatch.setattr(storages, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(storages, "_PAUSES_S", (0.05,))
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    optuna.create_study(storage=storage)
    other = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    open_storage = storages.open_storage

    def open_and_leave(where: str, say: Callable[[str], None]) -> BaseStorage:
        opened = open_storage(where, say)
        other.execute("BEGIN EXCLUSIVE")
        return opened

    monkeypatch.setattr(storages, "open_storage", open_and_leave)
    yield storage
    other.close()


def test_a_storage_that_goes_away_is_said_at_once_and_ends_it_in_one_line(leaving: str) -> None:
    ended = CliRunner().invoke(app, ["search", "--storage", leaving])
    assert ended.exit_code == 1
    away, last = ended.stderr.splitlines()
    assert "the storage is away (database is locked): trying again" in away
    assert last == f"nas: storage '{leaving}': database is locked"


def test_it_takes_no_heavy_library(footage: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from nas.checked_request import check
from nas.request import Request

request = Request(
    data=Path({str(footage)!r}), space="wan", settings="cpu", prior={str(SHIPPED)!r}, storage="study.log"
)
assert check(request, print).prior.configs
print(*{{name.split(".")[0] for name in sys.modules}})
"""
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
    ).stdout.split()
    assert "optuna" in loaded
    assert not {"torch", "diffusers", "botorch", "coremltools"} & set(loaded)
