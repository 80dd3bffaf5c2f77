"""Files of weights, and what tells one design's from another's."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nas.weights_file import first_difference, load_weights
from search_space.errors import UserError


def test_safetensors_and_pickled_tensors(tmp_path: Path) -> None:
    weights = {"a.weight": torch.ones(2, 3)}
    save_file(weights, tmp_path / "a.safetensors")
    torch.save(weights, tmp_path / "a.pth")
    for path in tmp_path.iterdir():
        assert torch.equal(load_weights(path)["a.weight"], weights["a.weight"])


class _Code:
    def __reduce__(self) -> tuple:
        return (print, ("ran",))


def test_damaged_files_and_pickles_with_code_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.safetensors", "a.pth"):
        (save_file if name.endswith("safetensors") else torch.save)({"a": torch.ones(100)}, tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-50])
        with pytest.raises(UserError, match=f"{name} is damaged"):
            load_weights(tmp_path / name)
    with (tmp_path / "code.pt").open("wb") as file:
        pickle.dump({"a": _Code()}, file)
    with pytest.raises(UserError, match="pickle that may run code"):
        load_weights(tmp_path / "code.pt")
    assert capsys.readouterr().out == ""
    with pytest.raises(UserError, match="nowhere: no such file"):
        load_weights(tmp_path / "nowhere")


def test_names_the_first_layer_that_differs() -> None:
    wanted = {"a": torch.ones(2, 3), "b": torch.ones(4)}
    assert first_difference(wanted, dict(wanted)) is None
    assert first_difference(wanted, {"b": torch.ones(5)}) == "it has no a 2x3"
    assert first_difference(wanted, {"a": torch.ones(2, 3), "b": torch.ones(5)}) == "b is 5, not 4"
    assert first_difference(wanted, wanted | {"c": torch.ones(1)}) == "it has c 1, which the design has not"
