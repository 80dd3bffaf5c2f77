"""What coremltools makes of lowered decoders, run by an interpreter of its operations."""

from collections import Counter
from itertools import product

import pytest
import torch

from nas.lowering import LOWERINGS, lower
from nas.lowering.conversion import ConversionError, convert
from search_space import CONVOLUTIONS, UPSAMPLERS, DecoderConfig, Stage, build_decoder
from tests.nas import mil_interpreter

PAIRS = list(product(CONVOLUTIONS, UPSAMPLERS))


def design_of(pairs, patch_size) -> DecoderConfig:
    """A decoder with a stage for each pair of a convolution and an upsampler, one residual block in each."""
    stages = []
    for index, (conv, upsampler) in enumerate(pairs):
        operator = UPSAMPLERS[upsampler]
        width = (20, 24, 16, 32)[index]
        # Where a residual block changes the width before the upsampler, it is the one.
        blocks = 1 if operator.changes_width else 0
        doubles_time = operator.without_time is not None or index % 2 == 0
        stages.append(Stage(width, blocks, conv, upsampler, doubles_time))
    return DecoderConfig(4, (Stage(20, 0, stages[0].conv), *stages), patch_size, "causal")


DESIGNS = {
    f"{start}-patch{patch}": design_of((PAIRS + PAIRS)[start : start + 4], patch)
    for start, patch in zip(range(0, len(PAIRS), 4), [1, 2, 4] * 5, strict=False)
}


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("config", DESIGNS.values(), ids=DESIGNS.keys())
def test_the_program_computes_what_the_decoder_computes(config, lowering):
    torch.manual_seed(0)
    decoder = build_decoder(config).half().float().eval()
    shape = (1, 4, 2, 1, 2)
    program = convert(lower(decoder, lowering), {"latent": shape}, outputs=["video"])
    latent = torch.randn(shape).half().float()
    with torch.no_grad():
        video = decoder(latent)
    exact = mil_interpreter.run(program, {"latent": latent}, torch.float32)["video"]
    torch.testing.assert_close(exact, video, atol=1e-4, rtol=1e-4)
    rounded = mil_interpreter.run(program, {"latent": latent}, torch.float16)["video"]
    assert (rounded - video).square().mean().sqrt() < 0.01 * video.std()
    for extreme in (torch.zeros(shape), 3000 * latent):
        assert mil_interpreter.run(program, {"latent": extreme}, torch.float16)["video"].isfinite().all()


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_blocks_convert_to_the_operations_of_the_whole(lowering):
    """So the costs of blocks add: coremltools finds nothing to cancel between them."""
    pairs = [("dw5", "decoupled_pixel_shuffle"), ("spatial", "nearest"), ("dense", "transposed")]
    decoder = lower(build_decoder(design_of([*pairs, ("two_frame", "pixel_shuffle")], 2)).eval(), lowering)
    x = latent = torch.randn(1, 4, 2, 2, 2)
    of_blocks: Counter[tuple] = Counter()
    for block in decoder.chain:
        of_blocks += operations(block, x)
        with torch.no_grad():
            x = block(x)
    assert of_blocks == operations(decoder, latent)


def operations(module, x) -> Counter[tuple]:
    """How often the program has each operation, told by its type and the shape of its result."""
    function = convert(module, {"x": x.shape}, outputs=["y"])._mil_program.functions["main"]
    return Counter(
        (operation.op_type, operation.outputs[0].shape)
        for operation in function.operations
        if operation.op_type != "const"
    )


class Bessel(torch.nn.Module):
    def forward(self, x):
        return torch.special.i0(x)


def test_what_does_not_convert_is_named():
    with pytest.raises(ConversionError, match=r"Bessel does not convert to Core ML: .*i0"):
        convert(Bessel(), {"x": (1, 2)}, outputs=["y"])
