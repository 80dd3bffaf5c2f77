"""What README and docs/ print can be typed: every command parses, and what costs little runs as printed."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nas.cli import app

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
README = TEXTS["README.md"]

# A line of its own, or words within a sentence.
LINES = r"^ {4}(?:exec )?nas (.*)$"
WORDS = r"`nas ([a-z]+ [^-`…][^`…]*)`"


def printed(text: str) -> list[list[str]]:
    """The arguments of each command that a page prints, without comments behind it."""
    text = re.sub(r".*&& \S*bin/nas ", "    nas ", text).replace("\\\n", " ")
    found = [*re.findall(LINES, text, re.MULTILINE), *re.findall(WORDS, text)]
    return [shlex.split(re.sub(r"\s#\s.*", "", command)) for command in dict.fromkeys(found)]


COMMANDS = [(name, arguments) for name, text in TEXTS.items() for arguments in printed(text)]
CHEAP = [
    arguments for arguments in printed(README) if "benchmarks/" in str(arguments) or arguments == ["teachers"]
]
SELF_CONTAINED = [
    "README.md",
    "docs/pictures.md",
    "docs/api/analysis.md",
    "docs/api/costs.md",
    "docs/api/search_space.md",
]


@pytest.fixture
def project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place to write to, where the example study lies as in the project's folder, and as a run's."""
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "wan").symlink_to(ROOT / "benchmarks" / "studies" / "wan-h200")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("page", "arguments"), COMMANDS, ids=lambda value: str(value)[:80])
def test_a_command_parses(page: str, arguments: list[str]) -> None:
    group = typer.main.get_command(app)
    name, command, rest = group.resolve_command(
        group.make_context("nas", [], resilient_parsing=True), arguments
    )
    command.make_context(name, rest)  # raises where an option or a value is none


@pytest.mark.parametrize("page", TEXTS)
def test_a_benchmark_that_is_named_is_there(page: str) -> None:
    for path in re.findall(r"python (benchmarks/\S+?\.py)", TEXTS[page]):
        assert (ROOT / path).is_file(), path


@pytest.mark.usefixtures("project_folder")
def test_the_tour_runs_and_gives_what_it_shows() -> None:
    said = []
    for arguments in CHEAP:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output)
        said.append(result.output)
    tour = README[README.index("## Ten minutes") : README.index("## What the first command leaves")]
    rows = re.findall(r"^ {4}(│.*│)$", tour, re.MULTILINE)
    assert len(rows) == 23
    assert [row for row in rows if row not in "\n".join(said)] == []
    (standing,) = re.findall(r'"(It is number .*?)"', tour, re.DOTALL)
    assert " ".join(standing.split()) in " ".join("\n".join(said).split())


@pytest.mark.usefixtures("project_folder")
@pytest.mark.parametrize("page", SELF_CONTAINED)
def test_the_python_runs(page: str) -> None:
    for code in re.findall(r"```python\n(.*?)```", TEXTS[page], re.DOTALL):
        exec(compile(code, page, "exec"), {})


def test_the_readme_leads_to_every_page() -> None:
    guides = {name for name in TEXTS if re.fullmatch(r"docs/[a-z]+\.md", name)} - {"docs/index.md"}
    assert {name for name in guides if f"({name})" not in README} == set()
