"""A run's folder: its name, and what is written to it."""

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
