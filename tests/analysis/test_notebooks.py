"""Every notebook runs from top to bottom on what is shipped, and is committed without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from safetensors.torch import save_file
from study_writer import random_records, study_record, trained, write_study

from nas.export import load_exported
from search_space import build_decoder, design

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture
def complete_run(tmp_path: Path) -> Path:
    """A run directory with the files of each trial too, all of one narrow decoder."""
    directory = tmp_path / "run"
    records = [*random_records(6), trained(27.2, 700.0, params=40.7e6, name="Turbo-VAED-Hunyuan")]
    config = design("turbo-vaed-hunyuan").narrowed(0.125)
    weights = build_decoder(config).state_dict()
    for number in range(len(records)):
        folder = directory / "trials" / f"{number:04d}"
        folder.mkdir(parents=True)
        config.save(folder / "config.json")
        save_file(weights, folder / "weights.safetensors")
    return write_study(directory, records, attributes={"study": study_record(run=str(directory))})


def execute(path: Path, folder: Path) -> None:
    """Runs a notebook from top to bottom."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_a_front_leads_to_an_export(complete_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY", str(complete_run))
    execute(FOLDER / "01_pareto.ipynb", complete_run)
    (exported,) = (complete_run / "exported").iterdir()
    load_exported(exported)


@pytest.mark.parametrize("name", ["02_latency", "03_search_comparison"])
def test_runs_on_what_is_shipped(name: str, tmp_path: Path) -> None:
    execute(FOLDER / f"{name}.ipynb", tmp_path)
