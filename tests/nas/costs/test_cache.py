import json

import pytest

from nas.costs import cache
from nas.costs.operations import ProgramBuilder


@pytest.fixture
def program():
    builder = ProgramBuilder((1, 4, 2, 8, 8))
    (out,) = builder.add("convolution", "conv", [0], [(1, 4, 2, 8, 8)], flops=5, channels=(4, 4))
    return builder.build(out)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache.entry("fingerprint", {"coremltools": "9.0"})


def test_what_is_stored_is_loaded(path, program):
    assert cache.load(path) is None
    cache.store(path, program)
    assert cache.load(path) == program
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_changed_code_is_told_from_what_was(tmp_path):
    source = tmp_path / "coreml.py"
    source.write_text("OPERATIONS = {}")
    before = cache.source_digest([source])
    source.write_text("OPERATIONS = {1}")
    assert cache.source_digest([source]) != before


def test_other_versions_have_other_entries(path):
    assert cache.entry("fingerprint", {"coremltools": "9.1"}) != path


@pytest.mark.parametrize("damage", ["cut", "not JSON", "changed", "other keys", "binary"])
def test_a_damaged_entry_is_named_and_not_used(path, program, damage, caplog):
    cache.store(path, program)
    text = path.read_text()
    if damage == "cut":
        path.write_text(text[: len(text) // 2])
    elif damage == "not JSON":
        path.write_text("operations")
    elif damage == "changed":
        path.write_text(text.replace('"flops": 5', '"flops": 6'))
    elif damage == "other keys":
        path.write_text(json.dumps({"program": {}}))
    else:
        path.write_bytes(b"\xff\xfe\x00")
    assert cache.load(path) is None
    assert str(path) in caplog.text


def test_a_cache_that_can_not_be_written_is_said_and_gone_without(path, program, caplog):
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.write_text("a file where the folder should be")
    cache.store(path, program)
    assert str(path) in caplog.text
