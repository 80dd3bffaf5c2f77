"""Imports between the packages run one way, and the command line starts without the heavy libraries."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("search_space", "nas", "analysis")
MAY_IMPORT = {  # a folder: the modules of ours that its files may import; CONTRIBUTING.md says the same
    "search_space": ("search_space",),
    "analysis": ("analysis", "search_space.errors", "search_space.conditions", "search_space.counting"),
    "nas": ("nas", "search_space"),
    "nas/cli": PACKAGES,
}
COMMAND = ("nas/cli", "nas/__main__.py")
FILES = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _imported(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports anywhere in it, also within its functions."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = path.with_suffix("").parts[: -node.level] if node.level else ()
            names = [".".join([*above, *([node.module] if node.module else [])])]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in PACKAGES)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_run_one_way(path: Path) -> None:
    folder = "nas/cli" if any(path.is_relative_to(part) for part in COMMAND) else path.parts[0]
    for name in _imported(path):
        assert any(name == module or name.startswith(f"{module}.") for module in MAY_IMPORT[folder]), name
        assert folder == "nas/cli" or not f"{name}.".startswith("nas.cli."), name


def test_the_help_of_the_command_waits_for_no_heavy_library() -> None:
    code = "import sys, nas.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "optuna", "diffusers", "pandas", "matplotlib", "coremltools"} & set(loaded.split())
