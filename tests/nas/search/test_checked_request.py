"""What is found wrong with a search before anything heavy is loaded."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nas.checked_request import check
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
        check(Request(**asked))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "wrong.yaml"]


def test_it_takes_no_heavy_library(footage: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from nas.checked_request import check
from nas.request import Request

request = Request(
    data=Path({str(footage)!r}), space="wan", settings="cpu", prior={str(SHIPPED)!r}, storage="study.log"
)
assert check(request).prior.configs
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
