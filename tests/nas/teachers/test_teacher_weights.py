import json
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from nas.teachers import WeightsInUse, cached_folder, load_teacher, stand_in_folder, teachers
from search_space.errors import UserError

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def wan_directory(small_models: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_models / "wan", tmp_path / "wan")


def test_a_known_teacher_from_a_directory_says_what_it_is(wan_directory: Path) -> None:
    import hashlib

    weights = load_teacher("wan", weights=wan_directory).weights
    digest = hashlib.sha256((wan_directory / WEIGHTS).read_bytes()).hexdigest()
    assert weights == WeightsInUse("path", str(wan_directory), digest, f"weights from {wan_directory}")


def test_the_directory_of_a_pipeline_will_do(wan_directory: Path, tmp_path: Path) -> None:
    shutil.move(wan_directory, tmp_path / "pipeline" / "vae")
    assert load_teacher(tmp_path / "pipeline").latent_channels == 16


def test_auto_takes_the_cache_of_the_hub_without_asking_the_network(
    offline: Path, wan_directory: Path
) -> None:
    wan = teachers()["wan"]
    repository = offline / f"models--{wan.repo.replace('/', '--')}"
    shutil.copytree(wan_directory, repository / "snapshots" / "0123abc" / wan.folder)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abc")
    weights = load_teacher("wan", own_footage=True).weights
    assert (weights.kind, weights.source) == ("hub", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers/vae")
    assert cached_folder(teachers()["hunyuan"]) is None


def test_weights_that_are_published_without_a_configuration(offline: Path) -> None:
    dc = teachers()["dc"]
    repository = offline / f"models--{dc.repo.replace('/', '--')}"
    snapshot = repository / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abc")
    save_file({"decoder.other": torch.zeros(1)}, snapshot / str(dc.file))
    (snapshot / "diffusion_model.safetensors").write_bytes(b"beside it, of no concern")
    assert cached_folder(dc) == snapshot
    lacks = r"F32T4C128_AE.* it has no encoder\.project_in\.conv\.weight 128x3x3x3x3"
    for ask in (lambda: load_teacher("dc"), lambda: load_teacher(snapshot)):
        with pytest.raises(UserError, match=lacks):
            ask()


def test_without_weights_the_error_says_where_it_looked_and_what_to_do(offline: Path) -> None:
    with pytest.raises(UserError) as error:
        load_teacher("hunyuan")
    for part in (str(offline), "huggingface.co/hunyuanvideo-community/HunyuanVideo", "--weights PATH"):
        assert part in str(error.value)
    assert "stand-in" not in str(error.value)


def test_own_footage_is_never_given_the_stand_in_unasked(offline: Path) -> None:
    with pytest.raises(UserError, match="--weights stand-in"):
        load_teacher("wan", own_footage=True)


@pytest.mark.skipif(stand_in_folder() is None, reason="this checkout has no stand-in yet")
@pytest.mark.parametrize(("weights", "own_footage"), [("auto", False), ("stand-in", True)])
def test_the_stand_in_has_the_latents_of_wan(offline: Path, weights: str, own_footage: bool) -> None:
    teacher = load_teacher("wan", weights=weights, own_footage=own_footage)
    assert teacher.weights.kind == "stand-in"
    assert "stand-in" in teacher.weights.description
    assert (teacher.latent_channels, teacher.compression) == (16, (4, 8, 8))
    assert next(teacher.vae.parameters()).dtype == torch.float32


def test_the_stand_in_is_for_wan_only() -> None:
    with pytest.raises(UserError, match="not for ltx"):
        load_teacher("ltx", weights="stand-in")


def test_weights_that_are_neither_known_nor_a_directory_are_named() -> None:
    with pytest.raises(UserError, match=r"--weights standin: .*give auto, hub, stand-in or a directory"):
        load_teacher("wan", weights="standin")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'wan3'.*wan, wan2\.2, hunyuan, cogvideox, ltx, dc"):
        load_teacher("wan3")


def test_a_directory_brings_its_own_weights(wan_directory: Path) -> None:
    with pytest.raises(UserError, match="weights of its own"):
        load_teacher(wan_directory, weights="hub")


def _change_config(directory: Path, **changes: object) -> None:
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | changes))


def _pickle_instead(directory: Path) -> None:
    torch.save(load_file(directory / WEIGHTS), directory / "diffusion_pytorch_model.bin")
    (directory / WEIGHTS).unlink()


def _drop_a_weight(directory: Path) -> None:
    weights = load_file(directory / WEIGHTS)
    del weights["decoder.conv_in.weight"]
    save_file(weights, directory / WEIGHTS, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda d: (d / "config.json").unlink(), "no config.json"),
        (lambda d: (d / "config.json").write_text("{"), "not readable as JSON"),
        (lambda d: _change_config(d, _class_name="AutoencoderKLLTXVideo"), "but wan is an AutoencoderKLWan"),
        (
            lambda d: _change_config(d, _class_name="UNet2DModel"),
            "not one of diffusers' AutoencoderKL classes",
        ),
        (lambda d: _change_config(d, base_dim=16), "not loadable as AutoencoderKLWan"),
        (lambda d: (d / WEIGHTS).write_bytes(b"not safetensors"), "not loadable as AutoencoderKLWan"),
        (_drop_a_weight, "lacks 1 weights, decoder.conv_in.weight"),
        (_pickle_instead, "no .safetensors weights"),
        (shutil.rmtree, "no such directory"),
    ],
)
def test_a_directory_that_is_no_such_autoencoder(wan_directory: Path, damage, complaint: str) -> None:
    damage(wan_directory)
    with pytest.raises(UserError, match=complaint):
        load_teacher("wan", weights=wan_directory)


def test_an_autoencoder_for_images_is_no_teacher(tmp_path: Path) -> None:
    from diffusers import AutoencoderKL

    AutoencoderKL(block_out_channels=(32,)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="AutoencoderKL can't be a teacher"):
        load_teacher(tmp_path)


def test_an_error_that_says_nothing_is_told_by_its_class(
    wan_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("nas.teachers.wan.WanTeacher._encode", fails)
    with pytest.raises(UserError, match=r"can't be a teacher.*\(NotImplementedError\)"):
        load_teacher(wan_directory)


def test_ltx_that_injects_noise_is_refused(small_models: Path, tmp_path: Path) -> None:
    from diffusers import AutoencoderKLLTXVideo

    vae = AutoencoderKLLTXVideo.from_pretrained(small_models / "ltx-0.9.5")
    AutoencoderKLLTXVideo(**{**vae.config, "decoder_inject_noise": [True] * 4}).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"decoder_inject_noise.*0\.9\.5"):
        load_teacher(tmp_path)
