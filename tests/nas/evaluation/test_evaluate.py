"""Evaluations from the command line to their files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from nas.cli import app
from nas.evaluation.latents import generated_latents
from nas.teachers import load_teacher
from search_space.errors import UserError


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


class _Means(torch.nn.Module):
    """In place of I3D: the mean of each colour."""

    def forward(self, x: torch.Tensor, rescale: bool, resize: bool, return_features: bool) -> torch.Tensor:
        return x.mean(dim=[2, 3, 4])


def test_on_held_out_scenes(
    exported: Callable[..., Path], footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.jit.script(_Means()).save(str(tmp_path / "i3d.pt"))
    folder = exported("decoder")
    asked = (folder, "--data", footage, "--clips", "2", "--i3d", tmp_path / "i3d.pt", "--json")
    result = run(*asked)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert json.loads((folder / "evaluation" / "evaluation.json").read_text()) == found
    assert (folder / "evaluation" / "frames.png").is_file()
    assert len(found["clips"]) == 2
    assert "without LPIPS" in result.stderr
    for compared in ("student", "teacher", "student_to_teacher"):
        measures = found["all"][compared]
        assert set(measures) == {"psnr", "psnr_frames", "psnr_by_phase", "ssim", "temporal_psnr"}
        each = [clip[compared]["psnr"] for clip in found["clips"]]
        assert measures["psnr"] == pytest.approx(sum(each) / 2)
        assert len(measures["psnr_by_phase"]) == 4
    assert min(found["all"]["rfvd_student"], found["all"]["rfvd_teacher"]) > 0
    assert "of 2 clips only" in found["all"]["rfvd_note"]
    assert run(*asked).stdout == result.stdout


def test_by_the_protocol_of_ucf101(exported: Callable[..., Path], footage: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "a.mkv").symlink_to(next(footage.iterdir()))
    (videos / "broken.mp4").write_bytes(b"nothing")
    to = tmp_path / "report"
    result = run(exported("decoder"), "--data", videos, "--protocol", "ucf101", "--to", to)
    assert result.exit_code == 0, result.output
    assert "broken.mp4: is not readable" in result.stderr
    found = json.loads((to / "evaluation.json").read_text())
    assert [clip["name"] for clip in found["clips"]] == ["a.mkv"]
    assert found["latents"] == "sampled"


def test_on_latents_that_a_diffusion_model_made(exported: Callable[..., Path], tmp_path: Path) -> None:
    folder = exported("decoder")
    given = tmp_path / "latents"
    given.mkdir()
    save_file({"latents": torch.randn(2, 16, 3, 4, 4)}, given / "a.safetensors")
    torch.save({"latents": torch.randn(16, 2, 4, 8)}, given / "b.pt")
    result = run(folder, "--latents", given, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [clip["name"] for clip in found["clips"]] == ["a.safetensors", "a.safetensors", "b.pt"]
    assert set(found["all"]) == {"student_to_teacher"}


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.randn(48, 3, 4, 4), r"a.safetensors is \[48, 3, 4, 4\]: latents of .* are \[16, t, h, w\]"),
        (torch.randn(16, 4, 4), r"is \[16, 4, 4\]: latents of"),
        (100 * torch.randn(16, 3, 4, 4), r"reaches \d+: normalised latents of"),
    ],
)
def test_latents_that_are_not_the_teachers_are_refused(
    tiny_teacher: Path, tmp_path: Path, tensor: torch.Tensor, message: str
) -> None:
    save_file({"latents": tensor}, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match=message):
        list(generated_latents(tmp_path, load_teacher(tiny_teacher)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "nowhere: no such file or directory"),
        (["--latents", "."], "holds no latents"),
        (["--data", ".", "--latents", "."], "either --data or --latents"),
        (["--data", "."], "holds no video"),
    ],
)
def test_bad_input_is_one_line(
    exported: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    folder = exported("decoder")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()[-1]) < 400
