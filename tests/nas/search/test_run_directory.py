"""A run's folder: its name, and what is written to it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas.run_directory import RunDirectory
from search_space.errors import UserError


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "-x", "my run"])
def test_a_name_that_is_asked_for_holds_only_what_is_safe(name: str) -> None:
    with pytest.raises(UserError, match="study name"):
        RunDirectory.named(name)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("wan2.2", "wan2.2"),
        ("models/run_", "run_"),
        ("models/My VAE (2)", "My-VAE-2-"),
        ("../.hidden", "hidden"),
        ("名", "search"),
        ("/", "search"),
    ],
)
def test_any_folder_gives_a_name(path: str, name: str) -> None:
    assert RunDirectory.after(Path(path)).name == name


def test_a_folder_without_a_name_of_its_own_gives_that_of_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vae").mkdir()
    monkeypatch.chdir(tmp_path / "vae")
    assert RunDirectory.after(Path()).path == Path("runs/vae")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that an ordinary user, as whom this goes on, may write to but not search."""
    with tempfile.TemporaryDirectory() as folder:  # unlike `tmp_path`, in a folder that all may search
        path = Path(folder)
        path.chmod(0o600)
        administrator = os.getuid() == 0  # whom no mode keeps out
        if administrator:
            nobody = 65534
            os.chown(path, nobody, nobody)
            os.setresuid(nobody, nobody, 0)
        yield path
        if administrator:
            os.setresuid(0, 0, 0)
        path.chmod(0o700)


@pytest.mark.parametrize("below", ["", "run"])
def test_a_folder_that_cannot_be_searched_is_no_place_for_a_run(below: str, closed: Path) -> None:
    with pytest.raises(UserError, match=f"{closed} can't be written to"):
        RunDirectory(closed / below, "run").check()


@pytest.mark.parametrize("protected", [".", "trials", "study.db"])
def test_a_run_that_can_only_be_read_is_not_continued(
    protected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(tmp_path / "run", "run")
    run.create()
    (run.path / "study.db").touch()
    run.create()
    # Not by its mode, which does not keep an administrator, as whom tests may run, from writing.
    monkeypatch.setattr(os, "access", lambda path, mode: path != run.path / protected)
    with pytest.raises(UserError, match="can't be written to"):
        run.create()
