import json

import pytest

from nas.costs import estimate
from nas.costs.coreml import coreml
from nas.costs.device import load_device
from nas.costs.hardware import hardware
from nas.costs.operations import fuse
from nas.costs.roofline import chain_ms
from nas.costs.trace import trace
from search_space import DecoderConfig, Stage, build_decoder, design
from search_space.errors import UserError

SMALL = DecoderConfig(
    8,
    (
        Stage(32, 1, "dw3"),
        Stage(32, 1, "dense"),
        Stage(32, 1, "dense", "decoupled_pixel_shuffle", doubles_time=True),
        Stage(16, 1, "spatial", "nearest", doubles_time=True),
        Stage(16, 1, "two_frame", "pixel_shuffle"),
    ),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


# Parameters and FLOPs as counted on the published configurations; iPhone speeds of arXiv 2508.09136, table 2.
@pytest.mark.parametrize(
    ("name", "frames", "params", "tera", "published_fps"),
    [
        ("turbo-vaed-hunyuan", 17, 40_687_811, 6.597, 10.6),
        ("turbo-vaed-cog", 17, 40_687_811, 6.597, 10.6),
        ("turbo-vaed-dc", 16, 45_831_383, 1.248, 112.7),
        ("turbo-vaed-ltx", 17, 41_896_023, 0.813, 161.8),
    ],
)
def test_published_decoders(name, frames, params, tera, published_fps):
    cost = estimate(design(name), frames=frames, source="trace")
    assert cost.params == params
    assert round(cost.flops / 1e12, 3) == tera
    assert cost.fps == pytest.approx(published_fps, rel=0.03)
    assert cost.fits


@pytest.mark.parametrize("source", ["trace", "coreml"])
def test_blocks_add_up_to_the_whole_decoder(source):
    cost = estimate(SMALL, resolution=(64, 64), frames=9, source=source)
    decoder = build_decoder(SMALL).to("meta")
    if source == "trace":
        whole = fuse(trace(decoder, cost.latent_shape).program)
    else:
        whole = coreml(decoder, cost.latent_shape)
    assert cost.params == sum(parameter.numel() for parameter in decoder.parameters())
    assert cost.flops == whole.flops
    assert cost.latency_ms == pytest.approx(chain_ms([whole], hardware(load_device(cost.device))), rel=0.06)


def test_stages_are_rows_that_add_up():
    cost = estimate(SMALL, resolution=(64, 64), frames=9, source="trace")
    assert [stage.name for stage in cost.stages] == [
        "conv_in",
        "mid_block",
        "up_block_0",
        "up_block_1",
        "up_block_2",
        "up_block_3",
        "head",
    ]
    assert sum(stage.cost.params for stage in cost.stages) == cost.params
    assert sum(stage.cost.latency_ms for stage in cost.stages) == pytest.approx(cost.latency_ms)
    peak = max(stage.cost.peak_activation_bytes for stage in cost.stages)
    assert cost.peak_memory_bytes == 2 * cost.params + peak


def test_fps_counts_the_frames_asked_for_and_says_what_is_decoded():
    asked, given = (estimate(SMALL, resolution=(64, 64), frames=n, source="trace") for n in (10, 13))
    assert (asked.frames_decoded, given.frames_decoded) == (13, 13)
    assert asked.latency_ms == given.latency_ms
    assert asked.fps == pytest.approx(given.fps * 10 / 13)


def test_latents_cover_the_resolution():
    cost = estimate(SMALL, resolution=(65, 64), frames=1, source="trace")
    assert cost.latent_shape == (1, 8, 1, 9, 8)


def test_json_holds_what_a_script_needs():
    cost = json.loads(json.dumps(estimate(SMALL, resolution=(64, 64), frames=9, source="trace").to_dict()))
    assert cost["basis"] == "estimated"
    assert cost["source"] == "trace"
    assert (cost["device"], cost["resolution"], cost["frames"]) == ("iphone-16-pro", [64, 64], 9)
    assert cost["fits"] is True
    assert {"params", "flops", "latency_ms", "fps", "peak_memory_bytes", "profile_digest"} <= set(cost)
    assert {"name", "params", "flops", "bytes", "latency_ms"} <= set(cost["stages"][0])


def test_a_damaged_cache_entry_is_converted_again(tmp_path, monkeypatch, caplog):
    ends_only = DecoderConfig(8, (Stage(16, 0, "dense"),) * 5)
    first = estimate(ends_only, resolution=(8, 8), frames=2, source="coreml")
    entries = sorted(tmp_path.rglob("*.json"))
    assert len(entries) == 2
    entries[0].write_text("{")
    monkeypatch.setattr("nas.costs.estimation._converted", {})  # as in a process that has seen nothing
    assert estimate(ends_only, resolution=(8, 8), frames=2, source="coreml") == first
    assert str(entries[0]) in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "abacus"}, "'abacus'"),
        ({"frames": 0}, "frames must be 1 to 65536, not 0"),
        ({"frames": 10**14}, "frames must be 1 to 65536, not 1"),
        ({"resolution": (0, 512)}, "0x512"),
        ({"resolution": (512, 10**10)}, "512x1"),
        ({"source": "guess"}, "'guess': known are coreml, trace"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UserError, match=message):
        estimate(SMALL, **{"source": "trace", **arguments})


def test_memory_beyond_what_an_app_may_use_does_not_fit():
    cost = estimate(design("turbo-vaed-hunyuan"), resolution=(2160, 3840), frames=17, source="trace")
    assert not cost.fits
