"""Spaces: what they hold, how designs are drawn from them, how they are left and entered."""

from dataclasses import replace
from itertools import product

import numpy as np
import optuna
import pytest
import torch
import yaml

from search_space import DecoderConfig, SearchSpace, UserError, build_decoder, design, design_name

FIRST = {
    "wan": ("Turbo-VAED-Hunyuan", (4, 8, 8), 16),
    "hunyuan": ("Turbo-VAED-Hunyuan", (4, 8, 8), 16),
    "cogvideox": ("Turbo-VAED-Hunyuan", (4, 8, 8), 16),  # Hunyuan's and Cog's decoders are the same.
    "wan2.2": ("Turbo-VAED-Hunyuan adapted to Wan 2.2", (4, 16, 16), 48),
    "ltx": ("Turbo-VAED-LTX", (8, 32, 32), 128),
    "dc": ("Turbo-VAED-DC", (4, 32, 32), 128),
}


@pytest.fixture(scope="module")
def wan() -> SearchSpace:
    return SearchSpace.preset("wan")


def every_design(space: SearchSpace) -> list[DecoderConfig]:
    values = [parameter.values for parameter in space.asked]
    names = [parameter.name for parameter in space.asked]
    return [space.config(dict(zip(names, chosen, strict=True))) for chosen in product(*values)]


@pytest.mark.parametrize("teacher", FIRST)
def test_preset_starts_with_the_published_design_of_its_compression(teacher):
    space = SearchSpace.preset(teacher)
    title, compression, latent_channels = FIRST[teacher]
    assert space.teacher == teacher
    assert design_name(space.first) == title
    assert (space.first.compression, space.first.latent_channels) == (compression, latent_channels)
    assert space.config(space.parameters(space.first)) == space.first


@pytest.mark.parametrize("teacher", FIRST)
def test_every_sample_of_a_preset_is_a_decoder_of_that_compression_and_goes_back_to_its_parameters(teacher):
    space = SearchSpace.preset(teacher)
    rng = np.random.default_rng(0)
    for config in (space.sample(rng) for _ in range(100)):
        assert config.compression == space.compression
        assert space.config(space.parameters(config)) == config
    with torch.device("meta"):
        assert build_decoder(config)(torch.empty(1, space.latent_channels, 2, 2, 2)).shape[1] == 3


@pytest.mark.parametrize("name", ["taehv", "flash-vaed-wan"])
def test_wan_holds_the_two_other_published_designs(wan, name):
    assert wan.config(wan.parameters(design(name))) == design(name)


def test_samples_spread_over_the_sizes_that_matter_for_phones(wan):
    rng = np.random.default_rng(0)
    with torch.device("meta"):
        decoders = [build_decoder(wan.sample(rng)) for _ in range(80)]
    millions = sorted(sum(p.numel() for p in decoder.parameters()) / 1e6 for decoder in decoders)
    assert millions[8] < 1
    assert 2 < millions[40] < 10
    assert millions[72] > 20


def test_suggest_asks_the_same_parameters_whatever_they_turn_out_to_be(wan):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    distributions = []
    for _ in range(20):
        trial = study.ask()
        wan.suggest(trial)
        distributions.append(trial.distributions)
    assert all(asked == distributions[0] for asked in distributions)
    assert set(distributions[0]) == {parameter.name for parameter in wan.asked}


def test_enqueued_parameters_come_back_as_the_design(wan):
    study = optuna.create_study()
    study.enqueue_trial(wan.parameters(wan.first))
    assert wan.suggest(study.ask()) == wan.first


def test_size_counts_architectures(tiny):
    assert tiny.size == len({config.hash for config in every_design(tiny)})


def test_neighbours_differ_in_one_parameter_by_one_step(wan):
    config = wan.first
    neighbours = wan.neighbours(config)
    assert len({neighbour.hash for neighbour in neighbours} | {config.hash}) == len(neighbours) + 1
    here = wan.parameters(config)
    for neighbour in neighbours:
        there = wan.parameters(neighbour)
        changed = [name for name in here if here[name] != there[name] and "upsampler" not in name]
        assert len(changed) <= 1
        if changed and isinstance(here[changed[0]], int) and changed[0] != "patch_size":
            assert abs(here[changed[0]] - there[changed[0]]) == 1
    assert all(config in wan.neighbours(neighbour) for neighbour in neighbours[:10])


def test_a_teacher_without_a_space_gets_that_of_its_compression():
    space = SearchSpace.for_latents("mine", 24, (4, 32, 32), keeps_first_frames=False)
    assert (space.teacher, space.latent_channels, space.compression) == ("mine", 24, (4, 32, 32))
    assert space.first == replace(
        design("turbo-vaed-dc"), latent_channels=24, keeps_first_frames=False, carried={}
    )
    with pytest.raises(
        UserError, match=r"compression 8,8,8 of mine: there are spaces for 4,16,16 and 4,32,32"
    ):
        SearchSpace.for_latents("mine", 24, (8, 8, 8), keeps_first_frames=False)


def test_without_a_first_design_the_middle_of_the_space_comes_first(tiny):
    assert tiny.config(tiny.parameters(tiny.first)) == tiny.first


def test_a_design_from_elsewhere_is_refused_with_what_is_outside(wan):
    with pytest.raises(UserError, match=r"latent channels is 128, but the space has 16"):
        wan.parameters(design("turbo-vaed-ltx"))
    with pytest.raises(UserError, match=r"up0_width is 20, but the space has 96"):
        wan.parameters(wan.first.narrowed(1 / 64))


def test_what_a_space_holds_can_be_written_and_read(wan, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump(wan.to_dict()))
    assert SearchSpace.load(path) == wan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: wann", "unknown space 'wann': it must be one of cogvideox, dc"),
        ("extends: wan\ncolour: red", "unknown key 'colour': known are teacher"),
        ("extends: wan\n4: four\ncolour: red", "unknown key 4: known are teacher"),
        ("extends: wan\nmid: {4: four, blocks: [1], hue: red}", "unknown key 4 in mid: known are blocks"),
        ("extends: wan\nteacher: [wan]", "teacher is ['wan']: it must be a name"),
        ("extends: wan\nfirst: [taehv]", "first is ['taehv']: it must be the name of a design, or null"),
        ("teacher: wan", "latent_channels is missing"),
        ("- wan", "give a mapping of keys"),
        ("{", "not YAML"),
        (
            "extends: wan\npatch_size: [4]",
            "patch_size 4 leaves 1 up blocks to upsample for compression 4,8,8",
        ),
        ("extends: ltx\npatch_size: [1]", "patch_size 1 leaves 5 up blocks to upsample"),
        ("extends: wan\npatch_size: 1", "patch_size is 1: it must be a list of int"),
        ("extends: wan\npatch_size: [3]", "patch_size has 3: known are 1, 2, 4"),
        ("extends: wan\ncompression: [4, 8, 9]", "compression is [4, 8, 9]: give three powers of two"),
        ("extends: wan\nmid: {blocks: [1], conv: [dense], width: [8]}", "mid is as wide as up0"),
        ("extends: wan\nmid: {blocks: [1], conv: [dens]}", "conv of mid has 'dens': known are dense, dw3"),
        ("extends: wan\nmid: {blocks: [1, 3], conv: [dense]}", "it must be consecutive numbers"),
        ("extends: wan\nmid: {blocks: [1]}", "conv is missing in mid"),
        ("extends: wan\nup0: {width: [64, 8], blocks: [1], conv: [dense]}", "it must be rising numbers"),
        (
            "extends: wan\nup0: {width: [64], blocks: [1], conv: [dense], upsampler: [nearest]}",
            "up0 has an upsampler, but it never upsamples under compression 4,8,8 with patch_size 1 or 2",
        ),
        (
            "extends: wan\nup3: {width: [64], blocks: [1], conv: [dense]}",
            "upsampler is missing in up3, which upsamples",
        ),
        (
            "extends: wan\nup3: {width: [10], blocks: [1], conv: [dense], upsampler: [nearest]}",
            "width 10 of up3: patch_size 2 needs a multiple of 4",
        ),
        ("extends: wan\ntime_padding: [causal]", "first: turbo-vaed-hunyuan: time_padding is symmetric"),
        ("extends: wan\nfirst: turbo", "unknown design 'turbo': it must be one of turbo-vaed-hunyuan"),
    ],
)
def test_a_wrong_space_file_is_refused_in_one_line_that_says_what_would_be_right(tmp_path, text, message):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        SearchSpace.load(path)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
