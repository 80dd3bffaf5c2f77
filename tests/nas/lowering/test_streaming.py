"""Decoding latent by latent gives the frames of the whole clip, also in Core ML's program."""

import pytest
import torch
from lowered_designs import EVERY_OPERATOR, small_design

from nas.lowering.conversion import convert
from nas.lowering.streaming import stream, why_not_streamable
from search_space import DecoderConfig, Stage, build_decoder
from search_space.errors import UserError
from tests.nas import mil_interpreter


def decoded_in_pieces(decoder, latent):
    first, later = stream(decoder, first=True), stream(decoder, first=False)
    frames = latent[0].transpose(0, 1)
    decoded, *states = first(frames[:1])
    pieces = [decoded]
    for frame in frames[1:].split(1):
        decoded, *states = later(frame, *states)
        pieces.append(decoded)
    return torch.cat(pieces).transpose(0, 1)[None]


@pytest.mark.parametrize("operators", EVERY_OPERATOR, ids=lambda operators: "-".join(map(str, operators)))
@pytest.mark.parametrize("keeps_first_frames", [False, True], ids=["dropped", "kept"])
def test_pieces_are_the_whole(operators, keeps_first_frames):
    torch.manual_seed(0)
    config = small_design(*operators, time_padding="causal", keeps_first_frames=keeps_first_frames)
    decoder = build_decoder(config).eval()
    latent = torch.randn(1, 4, 4, 3, 2)
    with torch.no_grad():
        torch.testing.assert_close(decoded_in_pieces(decoder, latent), decoder(latent), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("first", [True, False])
def test_blocks_say_the_shapes_of_their_states(first):
    config = small_design("dw5", "decoupled_pixel_shuffle", 2, time_padding="causal")
    with torch.device("meta"):
        decoder = stream(build_decoder(config), first)
        frames = torch.empty(1, 4, 4, 4)
        for _, blocks in decoder.stages():
            for _, block in blocks:
                shapes = block.state_shapes(frames.shape)
                given = [] if first else [torch.empty(shape) for shape in shapes]
                frames, *states = block(frames, *given)
                assert [state.shape for state in states] == shapes
    assert frames.shape == (1 if first else 4, 3, 64, 64)


@pytest.mark.parametrize("conv", ["dw3", "two_frame", "factored"])
def test_a_later_latent_converts(conv):
    torch.manual_seed(0)
    config = small_design(conv, "pixel_shuffle", 1, time_padding="causal")
    decoder = stream(build_decoder(config).half().float().eval(), first=False)
    inputs = {"latent": torch.randn(1, 4, 3, 2)}
    shape = inputs["latent"].shape
    with torch.device("meta"):
        frames = torch.empty(shape)
        for block in stream(build_decoder(config), first=False).chain:
            states = [torch.randn(shape, device="cpu") for shape in block.state_shapes(frames.shape)]
            inputs |= {f"state_{len(inputs) + index}": state for index, state in enumerate(states)}
            frames, *_ = block(frames, *(state.to("meta") for state in states))
    outputs = ["frames", *(f"new_{name}" for name in inputs if name != "latent")]
    program = convert(decoder, {name: value.shape for name, value in inputs.items()}, outputs)
    rounded = {name: value.half().float() for name, value in inputs.items()}
    with torch.no_grad():
        expected = dict(zip(outputs, decoder(*rounded.values()), strict=True))
    computed = mil_interpreter.run(program, rounded, torch.float32)
    for name in outputs:
        torch.testing.assert_close(computed[name], expected[name], atol=1e-4, rtol=1e-4)


def test_a_design_that_looks_ahead_is_refused_with_the_reason():
    symmetric = small_design("spatial", "nearest", 1)
    assert "dense convolutions look ahead" in why_not_streamable(symmetric)
    with pytest.raises(UserError, match="dense convolutions look ahead"):
        stream(build_decoder(symmetric), first=True)
    stages = (Stage(8, 0, "dw3"), Stage(8, 1, "dw3"), *(Stage(8, 0, "dw3", "nearest") for _ in range(3)))
    published = DecoderConfig(4, stages, time_padding="causal_dense")
    assert "its dw3 convolutions look ahead" in why_not_streamable(published)
