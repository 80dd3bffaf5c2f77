from importlib.resources import files

import pytest
import yaml

from nas.costs import devices, load_device
from search_space.errors import UserError


@pytest.fixture
def figures():
    return yaml.safe_load((files("nas.costs") / "devices" / "iphone-16-pro.yaml").read_text())


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "phone.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        return path

    return write


@pytest.mark.parametrize("name", devices())
def test_every_packaged_profile_is_valid_and_named_as_its_file(name):
    assert load_device(name).name == name


def test_an_unknown_device_lists_the_known():
    with pytest.raises(UserError, match=r"'nokia-3310'.*iphone-16-pro"):
        load_device("nokia-3310")


def test_a_profile_of_ones_own_is_read_by_path(write, figures):
    figures["units"]["rank5"]["memory_gb_s"]["value"] = 77
    own = load_device(write(figures))
    assert own.figures["units.rank5.memory_gb_s"].value == 77
    assert own.digest != load_device("iphone-16-pro").digest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda profile: profile.pop("switch_us"), "switch_us"),
        (
            lambda profile: profile["units"]["rank5"]["memory_gb_s"].update(value=-1),
            "units.rank5.memory_gb_s.value",
        ),
        (lambda profile: profile["switch_us"].update(value=float("nan")), "switch_us.value"),
        (lambda profile: profile["switch_us"].update(spread=0.5), "switch_us.spread"),
        (lambda profile: profile["switch_us"].update(value=True), "switch_us.value"),
        (lambda profile: profile["switch_us"].update(value=1e30), "it is 1e+30"),
        (lambda profile: profile["residual"].update(value=True), "residual.value"),
        (lambda profile: profile["residual_beyond"].update(value=1e5), "residual_beyond no smaller"),
        (lambda profile: profile.update(version=True), "version"),
        (lambda profile: profile["switch_us"].pop("source"), "switch_us.source"),
        (lambda profile: profile.update(memory_gbs=1), "memory_gbs"),
        (lambda profile: profile["units"]["rank5"]["rates"].update(conv=1), "units.rank5.rates.conv"),
        (lambda profile: profile["units"].pop("rank5"), "unit neural_engine, the last, must take everything"),
        (lambda profile: profile["units"]["rank5"].update(highest_rank=5), "must take tensors of every rank"),
        (lambda profile: profile["fit"][0].update(figures=["units.rank5.speed"]), "matches no figure"),
        (lambda profile: profile.update(coverage={"tpu": {}}), "tpu, which is no unit"),
        (
            lambda profile: profile.update(ensemble={"columns": ["speed"], "rows": [[1], [1]]}),
            "ensemble columns",
        ),
        (
            lambda profile: profile.update(
                ensemble={"columns": [group["name"] for group in profile["fit"]], "rows": [[1], [1]]}
            ),
            "ensemble rows must hold 8",
        ),
    ],
)
def test_a_broken_profile_is_refused_with_what_is_wrong(write, figures, change, named):
    change(figures)
    path = write(figures)
    with pytest.raises(UserError) as error:
        load_device(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)


@pytest.mark.parametrize("text", ["", "name: [", "just words"])
def test_what_is_not_a_profile_is_refused_in_one_line(write, text):
    path = write(text)
    with pytest.raises(UserError) as error:
        load_device(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.yaml"):
        load_device(tmp_path / "absent.yaml")
