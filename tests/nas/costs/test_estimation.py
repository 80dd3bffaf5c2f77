import json
from dataclasses import replace

import pytest

from nas.costs import estimate
from nas.costs.blocks import Design
from nas.costs.coreml import coreml
from nas.costs.device import load_device
from nas.costs.hardware import hardware
from nas.costs.operations import fuse
from nas.costs.roofline import price
from nas.costs.trace import trace
from nas.lowering import LOWERINGS, lower
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
@pytest.mark.parametrize("lowering", LOWERINGS)
def test_blocks_add_up_to_the_whole_decoder(source, lowering):
    cost = estimate(SMALL, resolution=(64, 64), frames=9, source=source, lowering=lowering)
    decoder = lower(build_decoder(SMALL).to("meta"), lowering)
    if source == "trace":
        whole = fuse(trace(decoder, cost.latent_shape).program)
    else:
        whole = coreml(decoder, cost.latent_shape)
    phone = hardware(load_device(cost.device))
    assert cost.params == sum(parameter.numel() for parameter in decoder.parameters())
    assert cost.flops == whole.flops
    on_gpu = sum(
        price(block.program.operations, phone.units["rank5"])
        for block in Design(SMALL).blocks(cost.latent_shape, source, lowering, "fused")
    )
    assert on_gpu == pytest.approx(price(whole.operations, phone.units["rank5"]), rel=0.02)


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
    assert sum(stage.params for stage in cost.stages) == cost.params
    assert sum(stage.latency_ms for stage in cost.stages) == pytest.approx(cost.latency_ms)
    peak = max(stage.peak_activation_bytes for stage in cost.stages)
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
    assert entries
    entries[0].write_text("{")
    for seen in ("_converted", "_links"):  # as in a process that has seen nothing
        monkeypatch.setattr(f"nas.costs.blocks.{seen}", {})
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
        ({"source": "guess"}, "'guess': known here are coreml, trace"),
        ({"lowering": "conv4d"}, "'conv4d': known are conv3d, shifted_2d"),
        ({"memory": 0}, "memory must be 1 byte or more, not 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UserError, match=message):
        estimate(SMALL, **{"source": "trace", **arguments})


def test_what_was_measured_is_calibrated_and_the_rest_wider_and_says_why():
    known = estimate(design("turbo-vaed-hunyuan"), source="trace", lowering="conv3d")
    unknown = estimate(design("turbo-vaed-hunyuan"), source="trace", lowering="shifted_2d")
    for cost in (known, unknown):
        assert cost.latency_low_ms < cost.latency_ms < cost.latency_high_ms
    assert unknown.latency_high_ms / unknown.latency_ms > known.latency_high_ms / known.latency_ms
    assert (known.standing, unknown.standing) == ("calibrated", "extrapolated")
    assert "on neural_engine, " in unknown.reasons[0]


def test_the_lowering_with_the_lower_upper_bound_is_chosen():
    costs = {form: estimate(SMALL, resolution=(64, 64), source="trace", lowering=form) for form in LOWERINGS}
    best = min(costs.values(), key=lambda cost: cost.latency_high_ms)
    assert estimate(SMALL, resolution=(64, 64), source="trace") == best


def test_a_clip_that_does_not_fit_is_decoded_in_tiles():
    whole = estimate(design("turbo-vaed-ltx"), source="trace")
    limit = whole.peak_memory_bytes - 1
    tiled = estimate(design("turbo-vaed-ltx"), source="trace", memory=limit)
    assert [mode.mode for mode in tiled.modes] == ["whole", "tiled"]
    assert (whole.mode, tiled.mode) == ("whole", "tiled")
    assert tiled.fits
    assert tiled.memory_limit_bytes == limit
    assert tiled.params == whole.params
    assert tiled.flops > whole.flops  # tiles overlap
    assert tiled.first_frame_ms == tiled.latency_ms


def test_where_nothing_fits_the_estimate_says_so():
    cost = estimate(design("turbo-vaed-hunyuan"), source="trace", memory=10**7)
    assert not cost.fits
    assert not any(mode.fits for mode in cost.modes)


@pytest.fixture(scope="module")
def causal():
    return replace(design("turbo-vaed-ltx"), time_padding="causal")


def test_a_design_that_is_causal_in_time_may_be_streamed(causal):
    short, long = (
        {mode.mode: mode for mode in estimate(causal, frames=n, source="trace").modes} for n in (17, 65)
    )
    assert short["streamed"].first_frame_ms < short["whole"].first_frame_ms
    assert short["streamed"].peak_memory_bytes == long["streamed"].peak_memory_bytes
    assert long["streamed"].peak_memory_bytes < long["whole"].peak_memory_bytes
    assert "streamed" not in {mode.mode for mode in estimate(design("turbo-vaed-ltx"), source="trace").modes}
