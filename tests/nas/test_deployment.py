"""Packages of exported designs are what their device was priced for."""

from pathlib import Path

import coremltools as ct
import pytest
from safetensors.torch import save_file
from typer.testing import CliRunner

from nas.cli import app
from nas.costs import estimate
from nas.deployment import package_exported
from search_space import DecoderConfig, Stage, build_decoder

STAGES = (
    Stage(16, 0, "dw3"),
    Stage(16, 1, "dw3"),
    *(Stage(16, 1, "spatial", "nearest", doubles_time=index > 0) for index in range(3)),
)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """The folder of an exported design, untrained."""
    config = DecoderConfig(4, STAGES)
    config.save(tmp_path / "config.json")
    save_file(build_decoder(config).state_dict(), tmp_path / "model.safetensors")
    return tmp_path


def test_the_package_has_the_lowering_and_the_shape_that_were_priced(exported: Path) -> None:
    packaged = package_exported(exported, "iphone-16-pro", (40, 32), 5)
    cost = estimate(DecoderConfig.load(exported / "config.json"), "iphone-16-pro", (40, 32), 5, "trace")
    assert (packaged.paths, packaged.lowering) == ((exported / "decoder.mlpackage",), cost.lowering)
    model = ct.models.MLModel(str(packaged.paths[0]), skip_model_load=True)
    assert model.user_defined_metadata["lowering"] == cost.lowering
    (latent,) = model.get_spec().description.input
    assert tuple(latent.type.multiArrayType.shape) == cost.program_shape == (1, 4, 2, 5, 4)


def test_it_is_decoded_as_memory_allows_and_older_packages_go(tmp_path: Path) -> None:
    stages = tuple(Stage(8, 0, "spatial", "nearest" if place > 1 else None) for place in range(5))
    config = DecoderConfig(4, stages, time_padding="causal")
    config.save(tmp_path / "config.json")
    save_file(build_decoder(config).state_dict(), tmp_path / "model.safetensors")
    clip = ((64, 64), 16)
    costs = estimate(config, "iphone-16-pro", *clip, "trace")
    assert costs.mode == "whole"
    streamed = next(mode for mode in costs.modes if mode.mode == "streamed")
    for memory, names in (
        (None, {"decoder.mlpackage"}),
        (streamed.peak_memory_bytes, {"first_latent.mlpackage", "later_latents.mlpackage"}),
        (None, {"decoder.mlpackage"}),
    ):
        packaged = package_exported(tmp_path, "iphone-16-pro", *clip, memory=memory)
        assert {path.name for path in packaged.paths} == names
        assert {path.name for path in tmp_path.glob("*.mlpackage")} == names


def test_the_command_says_what_it_wrote_and_replaces_it(exported: Path) -> None:
    for bits in ("16", "8"):
        arguments = ["package", str(exported), "--resolution", "32x32", "--frames", "5", "--bits", bits]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert f"{exported / 'decoder.mlpackage'}: " in result.stdout
        assert "the whole clip at once" in result.stdout
    model = ct.models.MLModel(str(exported / "decoder.mlpackage"), skip_model_load=True)
    assert model.user_defined_metadata["bits"] == "8"
