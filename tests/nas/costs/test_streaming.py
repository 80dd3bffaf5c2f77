from dataclasses import replace
from math import prod

import pytest
import torch

from nas.costs import load_device
from nas.costs.blocks import Design
from nas.costs.chains import stage_costs, sum_costs
from nas.costs.modes import whole
from nas.costs.operations import fuse
from nas.costs.streaming import streamed, streaming_blocks
from nas.costs.trace import trace
from nas.lowering.streaming import stream
from search_space import CONVOLUTIONS, DecoderConfig, Stage, build_decoder

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
FRAME = (1, 8, 8, 8)


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
    assert converted.memory_bytes == traced.memory_bytes
    assert converted.total.latency_ms == pytest.approx(traced.total.latency_ms, rel=0.01)


def test_every_call_after_the_first_starts_a_program():
    costs = [streamed(Design(CAUSAL), (1, 8, latents, 8, 8), PROFILE, "trace") for latents in (2, 3)]
    later = streaming_blocks(Design(CAUSAL).stages, (1, 8, 8, 8), "trace", PROFILE.execution, first=False)
    (_, call), *others = stage_costs(later, "trace", PROFILE)
    call = sum_costs([call, *(cost for _, cost in others)])
    begin = PROFILE.switch_us.value / 1e3
    assert costs[1].total.latency_ms - costs[0].total.latency_ms == pytest.approx(call.latency_ms + begin)


def most_alive(config: DecoderConfig, first: bool) -> int:
    """Bytes of activations and states alive at once in a whole program, from its own graph."""
    with torch.device("meta"):
        decoder = stream(build_decoder(config).eval(), first)
    states = [] if first else decoder.state_shapes(FRAME)
    program = fuse(trace(decoder, FRAME, *states).program)
    born = dict.fromkeys(range(program.inputs), 0)
    dies = dict.fromkeys((*range(1, program.inputs), *program.outputs), len(program.operations))
    for step, operation in enumerate(program.operations):
        born.update(dict.fromkeys(operation.outputs, step))
        for i in operation.inputs:
            dies[i] = max(step, dies.get(i, 0))
    alive = [
        sum(prod(program.shapes[i]) for i in born if born[i] <= step <= dies.get(i, born[i]))
        for step in range(len(program.operations))
    ]
    return max(alive) * PROFILE.element_bytes


@pytest.mark.parametrize("keeps_first_frames", [False, True], ids=["dropped", "kept"])
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_memory_is_both_programs_and_what_is_alive_in_a_later_call(conv, keeps_first_frames):
    stages = tuple(replace(stage, blocks=1, conv=conv) for stage in CAUSAL.stages)
    config = replace(CAUSAL, stages=stages, keeps_first_frames=keeps_first_frames)
    whole_clip = streamed(Design(config), LATENT, PROFILE, "trace")
    weights = whole_clip.total.params * PROFILE.element_bytes
    assert whole_clip.memory_bytes == 2 * weights + most_alive(config, first=False)
    assert most_alive(config, first=True) <= most_alive(config, first=False)
    alone = streamed(Design(config), (1, 8, 1, 8, 8), PROFILE, "trace")
    assert alone.memory_bytes == weights + most_alive(config, first=True)


def test_what_looks_ahead_is_not_streamed():
    assert streamed(Design(replace(CAUSAL, time_padding="symmetric")), LATENT, PROFILE, "trace") is None
