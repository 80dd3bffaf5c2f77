import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas.cli import app
from nas.costs import load_device
from search_space import DecoderConfig, Stage

SPECIFICATION = Path(__file__).parents[3] / "benchmarks" / "measurements" / "host-specification.yaml"

SMALL = (Stage(8, 1, "dw3"), Stage(8, 1, "spatial"), *(Stage(8, 1, "dw3", "nearest") for _ in range(3)))
CLIP = ("--resolution", "16x16", "--frames", "1")


@pytest.fixture
def configs(tmp_path):
    paths = [tmp_path / f"{patch}.json" for patch in (1, 2)]
    for patch, path in zip((1, 2), paths, strict=True):
        DecoderConfig(latent_channels=4, stages=SMALL, patch_size=patch).save(path)
    return [str(path) for path in paths]


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_was_measured_makes_a_profile_that_prices(tmp_path, configs):
    table, profile = tmp_path / "measured.csv", tmp_path / "mine.yaml"
    run("measure", *configs, "--device", "host", "--to", table, *CLIP)
    picture = tmp_path / "mine.png"
    run("calibrate", table, "--device", SPECIFICATION, "--to", profile, "--png", picture)
    assert picture.is_file()
    fitted = load_device(profile)
    assert (fitted.name, fitted.ensemble is not None) == ("mine", True)
    estimated = json.loads(run("estimate", configs[0], "--device", profile, "--json", *CLIP))
    assert estimated["device"] == "mine"


def test_the_host_is_measured_not_estimated(configs):
    measured = json.loads(run("estimate", configs[0], "--device", "host", "--json", *CLIP))
    assert measured["basis"] == "measured"


def test_wrong_arguments_are_named(tmp_path):
    table = str(tmp_path / "measured.csv")
    for arguments, message in (
        (["measure", "--device", "toaster", "--to", table], "'toaster'"),
        (["calibrate", table, "--to", str(tmp_path / "mine.json")], "ends in .yaml"),
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert message in result.output
