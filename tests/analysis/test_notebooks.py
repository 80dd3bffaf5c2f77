"""Every notebook runs from top to bottom on a small real study, and is committed without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from safetensors.torch import save_file
from study_writer import random_records, study_record, trained, write_study

from nas.export import load_exported
from search_space import build_decoder, design

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, complete_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY", str(complete_run))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(complete_run)}}).execute()
    (exported,) = (complete_run / "exported").iterdir()
    load_exported(exported)
