"""Small designs that have every operator between them."""

from search_space import CONVOLUTIONS, UPSAMPLERS, DecoderConfig, Stage


def small_design(conv: str, upsampler: str, patch_size: int, **changes) -> DecoderConfig:
    """One convolution and one upsampler, with and without a change of width and of time."""
    # The last norm must have some channels: over one it is a sign, which turns rounding into an error.
    last = 64 if patch_size == 4 else 16
    without_time = UPSAMPLERS[upsampler].without_time or upsampler
    stages = (
        Stage(16, 1, conv),
        Stage(16, 0, conv),
        Stage(16, 0, conv, without_time),
        Stage(24, 1, conv, upsampler, doubles_time=True),
        Stage(last, 1, conv, upsampler, doubles_time=True),
    )
    return DecoderConfig(**{"latent_channels": 4, "stages": stages, "patch_size": patch_size} | changes)


EVERY_OPERATOR = [
    *((conv, "transposed", patch) for conv, patch in zip(CONVOLUTIONS, (1, 2, 4, 1, 2, 4, 1), strict=True)),
    *(("spatial", upsampler, 2) for upsampler in UPSAMPLERS),
    *(("dense", upsampler, 1) for upsampler in UPSAMPLERS),
]
