"""Configurations: what is refused, the published format, names that stay, narrowing."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from search_space import DecoderConfig, SearchSpace, UserError, build_decoder, design, designs
from search_space.published import OUR_KEYS

HUNYUAN = design("turbo-vaed-hunyuan")


def with_stage(index: int, **changes) -> DecoderConfig:
    stages = list(HUNYUAN.stages)
    stages[index] = replace(stages[index], **changes)
    return replace(HUNYUAN, stages=tuple(stages))


@pytest.mark.parametrize("name", ["Hunyuan", "Cog", "DC", "LTX"])
def test_a_published_file_keeps_every_key_and_value(shared, name):
    published = json.loads((shared / f"facts/Turbo-VAED-{name}.json").read_text())
    config = DecoderConfig.from_dict(published)
    written = config.to_dict()
    assert {key: written[key] for key in published} == published
    assert not set(written) & set(OUR_KEYS)
    assert design(f"turbo-vaed-{name.lower()}") == config


@pytest.mark.parametrize("teacher", SearchSpace.presets())
def test_a_design_survives_being_written_and_read(teacher, tmp_path):
    space = SearchSpace.preset(teacher)
    rng = np.random.default_rng(1)
    for config in [space.first, *(space.sample(rng) for _ in range(30))]:
        assert DecoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    config.save(tmp_path / "config.json")
    assert DecoderConfig.load(tmp_path / "config.json") == config
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_published_causal_leaves_depthwise_stages_symmetric_and_ours_does_not():
    published = HUNYUAN.to_dict() | {"decoder_causal": True}
    config = DecoderConfig.from_dict(published)
    assert config.is_causal("dense")
    assert not config.is_causal("dw5")
    assert config.is_published
    ours = DecoderConfig.from_dict(published | {"decoder_dw_causal": True})
    assert ours.is_causal("dw5")
    assert ours.why_not_published == ["causal depthwise convolutions"]
    assert DecoderConfig.from_dict(ours.to_dict()) == ours
    assert ours.hash != config.hash != HUNYUAN.hash


def test_what_the_published_code_lacks_is_said():
    config = with_stage(2, conv="spatial", upsampler="transposed")
    assert config.why_not_published == ["convolution spatial", "upsampler transposed"]
    assert with_stage(0, conv="dw3").why_not_published == ["several depthwise kernel sizes (dw3, dw5)"]
    assert "_class_name" not in config.to_dict()


def test_hash_names_the_architecture_and_nothing_else():
    assert HUNYUAN.hash == "6334f6438395"  # Runs that are compared were named on other days and machines.
    assert replace(HUNYUAN, carried={"scaling_factor": 0.5}).hash == HUNYUAN.hash
    changed = [with_stage(1, blocks=3), with_stage(2, width=192), with_stage(4, conv="dw5")]
    changed += [with_stage(4, upsampler="nearest"), replace(HUNYUAN, keeps_first_frames=True)]
    changed += [replace(HUNYUAN, latent_channels=17), replace(HUNYUAN, time_padding="causal")]
    assert len({config.hash for config in [HUNYUAN, *changed]}) == 8


def test_hash_ignores_a_convolution_that_is_never_built():
    assert with_stage(1, blocks=0).hash == with_stage(1, blocks=0, conv="dense").hash
    assert with_stage(2, blocks=0).hash != with_stage(2, blocks=0, conv="dw5").hash  # It changes the width.


@pytest.mark.parametrize("name", designs())
@pytest.mark.parametrize("factor", [0.5, 0.25, 1 / 16])
def test_narrowing_keeps_the_design(name, factor):
    config = design(name)
    narrow = config.narrowed(factor)
    blocks = [name for name, _ in build_decoder(narrow).blocks()]
    assert blocks == [name for name, _ in build_decoder(config.narrowed(0.5)).blocks()]
    for stage, narrower in zip(config.stages, narrow.stages, strict=True):
        assert narrower.width <= stage.width
        assert narrower == replace(stage, width=narrower.width)
    assert narrow.compression == config.compression


def test_narrowing_scales_widths_down_to_a_minimum():
    assert [stage.width for stage in HUNYUAN.narrowed(0.25).stages] == [128, 128, 64, 12, 8]
    assert [stage.width for stage in HUNYUAN.narrowed(0.25, minimum=16).stages] == [128, 128, 64, 20, 16]
    assert HUNYUAN.narrowed(1) == HUNYUAN
    with pytest.raises(UserError, match="must be above 0 and at most 1"):
        HUNYUAN.narrowed(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(HUNYUAN, stages=HUNYUAN.stages[:4]), "4 stages: there must be five"),
        (lambda: replace(HUNYUAN, latent_channels=0), "latent_channels is 0: it must be a whole number, 1"),
        (lambda: replace(HUNYUAN, patch_size=3), "patch_size 3: it must be 1, 2 or 4"),
        (lambda: replace(HUNYUAN, time_padding="late"), "time padding 'late': it must be one of symmetric"),
        (lambda: replace(HUNYUAN, norm_eps=0.0), "resnet_norm_eps 0.0: it must be above 0"),
        (lambda: replace(HUNYUAN, norm_eps=math.inf), "resnet_norm_eps inf: it must be above 0 and finite"),
        (lambda: with_stage(4, width=10**12), "it must be a whole number, 1 to 65536"),
        (lambda: with_stage(0, width=64), "mid_block is 64 wide and up_block_0 512: the two must be equal"),
        (lambda: with_stage(0, upsampler="nearest"), "mid_block can't upsample"),
        (
            lambda: with_stage(2, width=2.5),
            "width of up_block_1 is 2.5: it must be a whole number, 1 to 65536",
        ),
        (
            lambda: with_stage(2, blocks=-1),
            "blocks of up_block_1 is -1: it must be a whole number, 0 to 65536",
        ),
        (lambda: with_stage(2, conv="conv"), "convolution 'conv' of up_block_1: it must be one of dense"),
        (lambda: with_stage(2, upsampler="up"), "upsampler 'up' of up_block_1: it must be one of decoupled"),
        (lambda: with_stage(1, doubles_time=True), "up_block_0 doubles time without an upsampler"),
        (lambda: with_stage(4, upsampler="nearest_grow"), "where time isn't doubled: use nearest"),
        (lambda: replace(with_stage(4, width=24), patch_size=4), "give a multiple of 16"),
        (
            lambda: replace(design("taehv"), time_padding="causal_dense"),
            "causal_dense is for designs with depthwise stages: say causal",
        ),
        (lambda: HUNYUAN.frames(0), "0 latent frames: there must be at least 1"),
        (lambda: HUNYUAN.latent_frames(0), "0 video frames: there must be at least 1"),
        (lambda: design("turbo"), "unknown design 'turbo': it must be one of turbo-vaed-hunyuan"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(make, message):
    with pytest.raises(UserError) as refused:
        make()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_unpatchify": True}, "unknown key use_unpatchify: known are"),
        ({"_class_name": "AutoencoderKLWan"}, "_class_name is AutoencoderKLWan: give the configuration of"),
        ({"out_channels": 4}, "out_channels is 4: decoders here have 3"),
        ({"upsample_factor": [1, 1, 2, 1]}, "upsample_factor is [1, 1, 2, 1]: decoders here have 1"),
        ({"decoder_block_out_channels": [16, 32, 256]}, "it must be a list of 4 (int)"),
        ({"decoder_layers_per_block": "5"}, "decoder_layers_per_block is '5': it must be a list of 5 (int)"),
        ({"decoder_dw_kernel_size": 9}, "decoder_dw_kernel_size is 9: it must be one of 3, 5, 7"),
        ({"decoder_causal": "yes"}, "decoder_causal is 'yes': it must be of type bool"),
        ({"decoder_dw_causal": True}, "decoder_dw_causal is for a design with decoder_causal"),
        ({"decoder_convolutions": ["dense"] * 5}, "decoder_convolutions stands in place of"),
        (
            {"decoder_upsamplers": ["nearest"] * 4},
            "name an upsampler where that is true, null where it is false",
        ),
        ({"decoder_upsamplers": [1] * 4}, "it must be a list of 4 (str or null)"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_that_names_it(tmp_path, changes, message):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(HUNYUAN.to_dict() | changes))
    with pytest.raises(UserError) as refused:
        DecoderConfig.load(path)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "isn't JSON"), ("[]", "holds a list"), ("{}", "decoder_block_out_channels is missing")],
)
def test_what_is_no_configuration_is_refused(tmp_path, text, message):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        DecoderConfig.load(path)
    with pytest.raises(UserError, match="No such file or directory; give a decoder's configuration"):
        DecoderConfig.load(tmp_path / "other.json")
