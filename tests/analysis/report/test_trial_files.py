"""Files of trials that were damaged, or put in the wrong place."""

import json
from pathlib import Path

import pytest

from analysis.report.trial_files import damage

WHOLE = {"config.json": "{}", "metrics.json": json.dumps({"trial": 7, "metrics": {"psnr": 30.0}})}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"metrics.json": None}, "there is no"),
        ({"config.json": '{"a": '}, "can't be read as a configuration"),
        ({"metrics.json": '{"trial": 7, "met'}, "can't be read as metrics"),
        ({"metrics.json": "[1]"}, "it holds no names and values"),
        ({"metrics.json": '{"trial": 7, "metrics": 3}'}, "it has no PSNR"),
        ({"metrics.json": '{"trial": 8, "metrics": {"psnr": 30.0}}'}, "is of another trial"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changed: dict[str, str | None], said: str) -> None:
    for name, text in (WHOLE | changed).items():
        if text is not None:
            (tmp_path / name).write_text(text)
    found = damage(tmp_path, 7)
    assert said in found
    assert bool(found) == bool(said)
    assert not found or str(tmp_path / next(iter(changed))) in found
