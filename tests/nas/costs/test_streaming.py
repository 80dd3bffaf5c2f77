from dataclasses import replace

import pytest

from nas.costs import load_device
from nas.costs.blocks import Design
from nas.costs.modes import whole
from nas.costs.streaming import streamed
from search_space import DecoderConfig, Stage

PROFILE = load_device("iphone-16-pro")
CAUSAL = DecoderConfig(
    8,
    (
        Stage(32, 1, "two_frame"),
        Stage(32, 0, "dense"),
        Stage(32, 1, "dense", "decoupled_pixel_shuffle", doubles_time=True),
        Stage(16, 0, "spatial", "nearest", doubles_time=True),
        Stage(16, 1, "spatial", "pixel_shuffle"),
    ),
    time_padding="causal",
)
LATENT = (1, 8, 3, 8, 8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_work_is_that_of_the_clip_and_of_the_frames_it_drops():
    clip = whole(Design(CAUSAL), LATENT, PROFILE, "trace", "shifted_2d")
    stream = streamed(Design(CAUSAL), LATENT, PROFILE, "trace")
    assert stream is not None
    assert stream.total.params == clip.total.params
    assert stream.total.flops == pytest.approx(clip.total.flops, rel=0.15)


def test_one_latent_is_the_first_program_alone():
    stream = streamed(Design(CAUSAL), (1, 8, 1, 8, 8), PROFILE, "trace")
    assert stream is not None
    assert stream.first_frame_ms == stream.total.latency_ms


def test_core_ml_and_the_trace_agree():
    traced, converted = (streamed(Design(CAUSAL), LATENT, PROFILE, source) for source in ("trace", "coreml"))
    assert traced is not None
    assert converted is not None
    assert converted.total.flops == traced.total.flops
    assert converted.total.latency_ms == pytest.approx(traced.total.latency_ms, rel=0.05)


def test_what_looks_ahead_is_not_streamed():
    assert streamed(Design(replace(CAUSAL, time_padding="symmetric")), LATENT, PROFILE, "trace") is None
