"""Decoders that are evaluated, from the files that people have."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nas.evaluation.students import load_student
from nas.evaluation.taehv import TaehvDecoder
from nas.teachers import Teacher, load_teacher
from search_space import DecoderConfig, Stage, build_decoder, design
from search_space.errors import UserError

SMALL = DecoderConfig(
    latent_channels=16,
    stages=(
        Stage(16, 0, "dw3"),
        Stage(16, 0, "spatial"),
        Stage(16, 0, "spatial", "nearest"),
        Stage(16, 0, "spatial", "nearest", doubles_time=True),
        Stage(8, 0, "spatial", "nearest", doubles_time=True),
    ),
)


@pytest.fixture(scope="module")
def teacher(tiny_teacher: Path) -> Teacher:
    return load_teacher(tiny_teacher)


@pytest.fixture
def latent() -> torch.Tensor:
    return torch.randn(1, 16, 3, 4, 4, generator=torch.Generator().manual_seed(1))


def test_an_exported_design(exported_small: Path, teacher: Teacher, latent: torch.Tensor) -> None:
    student = load_student(exported_small, teacher)
    assert student.decode(latent, teacher).shape == (1, 3, 9, 32, 32)
    assert student.name == exported_small.name


@pytest.mark.parametrize("holder", ["ema_state_dict", "state_dict"])
def test_a_checkpoint_of_the_published_training_code(
    exported_small: Path, teacher: Teacher, latent: torch.Tensor, holder: str
) -> None:
    expected = load_student(exported_small, teacher).decode(latent, teacher)
    weights = build_decoder(SMALL)
    weights.load_state_dict(load_student(exported_small, teacher).decoder.state_dict())
    prefix = "module." if holder == "ema_state_dict" else ""
    ours = {f"{prefix}decoder.{name}": tensor for name, tensor in weights.state_dict().items()}
    others = {f"{prefix}encoder.conv.weight": torch.ones(2)}
    others[f"{prefix}aligned_feature_projection_heads.0.0.conv.weight"] = torch.ones(2)
    held = ours | others if holder == "ema_state_dict" else {"gen_model": ours | others}
    (exported_small / "model.safetensors").unlink()
    torch.save({holder: held, "current_step": 5}, exported_small / "checkpoint-5.ckpt")
    found = load_student(exported_small / "checkpoint-5.ckpt", teacher).decode(latent, teacher)
    assert torch.equal(found, expected)


def test_a_known_design_needs_no_configuration(teacher: Teacher, tmp_path: Path) -> None:
    weights = build_decoder(design("flash-vaed-wan")).state_dict()
    save_file(weights, tmp_path / "flash.safetensors")
    assert load_student(tmp_path / "flash.safetensors", teacher).parameters == sum(
        tensor.numel() for tensor in weights.values()
    )
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=r"other.safetensors is of no design known here"):
        load_student(tmp_path / "other.safetensors", teacher)


def test_weights_of_another_design_are_refused_by_their_first_layer(
    exported_small: Path, teacher: Teacher
) -> None:
    wider = SMALL.from_dict(SMALL.to_dict() | {"decoder_block_out_channels": [8, 24, 16, 16]})
    save_file(build_decoder(wider).state_dict(), exported_small / "model.safetensors")
    with pytest.raises(UserError, match=r"another design .*: up_blocks.2"):
        load_student(exported_small, teacher)


def test_a_decoder_for_other_latents_is_refused(teacher: Teacher, tmp_path: Path) -> None:
    config = design("turbo-vaed-ltx").narrowed(0.05, minimum=4)
    config.save(tmp_path / "config.json")
    save_file(build_decoder(config).state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"is for 128 channels at 8x32x32, .*; teacher .* has 16 channels"):
        load_student(tmp_path, teacher)


def _taehv(
    grow: tuple[int, int, int] = (1, 2, 2), patch: int = 1, channels: int = 16
) -> dict[str, torch.Tensor]:
    """Weights of a narrow TAEHV, by its layers' published numbers."""
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, torch.Tensor] = {}

    def convolution(name: str, before: int, after: int, kernel: int = 3, bias: bool = True) -> None:
        scale = (kernel * kernel * before) ** -0.5
        shape = (after, before, kernel, kernel)
        weights[f"decoder.{name}.weight"] = scale * torch.randn(shape, generator=generator)
        if bias:
            weights[f"decoder.{name}.bias"] = 0.1 * torch.randn(after, generator=generator)

    widths = [8, 6, 4, 4]
    convolution("1", channels, widths[0])
    for stage, first in enumerate((3, 9, 15)):
        width = widths[stage]
        for block in range(first, first + 3):
            convolution(f"{block}.conv.0", 2 * width, width)
            convolution(f"{block}.conv.2", width, width)
            convolution(f"{block}.conv.4", width, width)
        convolution(f"{first + 4}.conv", width, width * grow[stage], kernel=1, bias=False)
        convolution(f"{first + 5}", width, widths[stage + 1], bias=False)
    convolution("22", widths[3], 3 * patch**2)
    return weights


@pytest.mark.parametrize(
    ("grow", "patch", "compression"), [((1, 2, 2), 1, (4, 8, 8)), ((2, 2, 2), 4, (8, 32, 32))]
)
def test_taehv_is_built_as_its_checkpoint_tells(
    grow: tuple[int, int, int], patch: int, compression: tuple[int, int, int]
) -> None:
    decoder = TaehvDecoder(_taehv(grow, patch), compression[0])
    assert decoder.compression == compression
    latent = torch.randn(2, 16, 3, 4, 4)
    video = decoder(latent)
    time, height, width = compression
    assert video.shape == (2, 3, 2 * time + 1, 4 * height, 4 * width)
    assert video.amin() >= -1
    assert video.amax() <= 1
    # The first latent stands for one frame, and none depends on a later latent.
    changed = latent.clone()
    changed[:, :, 2] += 1
    frames = (decoder(changed) - video).abs().amax(dim=(0, 1, 3, 4)) > 0
    assert frames.tolist() == [False] * (time + 1) + [True] * time


def test_taehv_that_grows_time_too_often_keeps_last_frames() -> None:
    weights = _taehv((2, 2, 2))
    assert TaehvDecoder(weights, 4).by_time == 4
    fewer = weights | {"decoder.7.conv.weight": weights["decoder.7.conv.weight"][8:]}
    latent = torch.randn(1, 16, 2, 4, 4)
    assert torch.equal(TaehvDecoder(weights, 4)(latent), TaehvDecoder(fewer, 4)(latent))


def test_taehv_takes_latents_as_a_diffusion_model_sees_them(
    teacher: Teacher, latent: torch.Tensor, tmp_path: Path
) -> None:
    torch.save(_taehv(), tmp_path / "taew2_1.pth")
    student = load_student(tmp_path / "taew2_1.pth", teacher)
    mean, std = (value.view(1, -1, 1, 1, 1) for value in (teacher.statistics.mean, teacher.statistics.std))
    assert torch.equal(
        student.decode(latent * std + mean, teacher), student.decode(latent * std + mean, teacher)
    )
    torch.testing.assert_close(student.decode(latent * std + mean, teacher), student.decoder(latent))
    torch.save(_taehv(channels=48), tmp_path / "taew2_2.pth")
    with pytest.raises(UserError, match=r"decodes 48 channels at 4x8x8; teacher .* has 16 at 4x8x8"):
        load_student(tmp_path / "taew2_2.pth", teacher)


@pytest.fixture
def exported_small(tmp_path: Path) -> Path:
    """A folder as `nas export` writes it."""
    folder = tmp_path / "decoder"
    folder.mkdir()
    SMALL.save(folder / "config.json")
    torch.manual_seed(0)
    save_file(build_decoder(SMALL).state_dict(), folder / "model.safetensors")
    return folder
