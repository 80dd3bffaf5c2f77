"""The file of what designs are trained on: made once, and again where it is of something else."""

from dataclasses import fields
from pathlib import Path

import torch

from nas.material import Material
from nas.material_file import cached_material, load_material


def test_everything_comes_back(material: Material, tmp_path: Path) -> None:
    path = tmp_path / "material.safetensors"
    assert cached_material(path, {"footage": "x"}, lambda: material) == material.teacher_psnr
    loaded = load_material(path, torch.device("cpu"))
    for field in fields(Material):
        kept, given = getattr(loaded, field.name), getattr(material, field.name)
        assert torch.equal(kept, given) if isinstance(given, torch.Tensor) else kept == given
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_it_is_made_again_only_of_something_else_or_where_it_is_damaged(
    material: Material, tmp_path: Path
) -> None:
    path = tmp_path / "material.safetensors"
    made = []

    def make() -> Material:
        made.append(1)
        return material

    for footage in ("x", "x", "y"):
        cached_material(path, {"footage": footage}, make)
    assert len(made) == 2
    path.write_bytes(path.read_bytes()[:100])
    cached_material(path, {"footage": "y"}, make)
    assert len(made) == 3
