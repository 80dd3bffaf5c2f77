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


@pytest.mark.parametrize("conv", ["dw3", "two_frame", "factored"])
@pytest.mark.parametrize("first", [True, False])
def test_it_converts_with_states_of_the_shapes_it_says(conv, first):
    torch.manual_seed(0)
    config = small_design(conv, "pixel_shuffle", 1, time_padding="causal")
    decoder = stream(build_decoder(config).half().float().eval(), first)
    inputs = {"latent": torch.randn(1, 4, 3, 2).half().float()}
    shapes = decoder.state_shapes((1, 4, 3, 2))
    if not first:
        inputs |= {f"before_{i}": torch.randn(shape).half().float() for i, shape in enumerate(shapes)}
    outputs = ["frames", *(f"after_{i}" for i in range(len(shapes)))]
    program = convert(decoder, {name: value.shape for name, value in inputs.items()}, outputs)
    with torch.no_grad():
        expected = decoder(*inputs.values())
    assert [state.shape for state in expected[1:]] == shapes
    computed = mil_interpreter.run(program, inputs, torch.float32)
    for name, value in zip(outputs, expected, strict=True):
        torch.testing.assert_close(computed[name], value, atol=1e-4, rtol=1e-4)


def test_a_design_that_looks_ahead_is_refused_with_the_reason():
    symmetric = small_design("spatial", "nearest", 1)
    assert "dense convolutions look ahead" in why_not_streamable(symmetric)
    with pytest.raises(UserError, match="dense convolutions look ahead"):
        stream(build_decoder(symmetric), first=True)
    stages = (Stage(8, 0, "dw3"), Stage(8, 1, "dw3"), *(Stage(8, 0, "dw3", "nearest") for _ in range(3)))
    published = DecoderConfig(4, stages, time_padding="causal_dense")
    assert "its dw3 convolutions look ahead" in why_not_streamable(published)
