"""What a stage can be made of: one line for each convolution and each upsampler, readable without torch.

To add an operator, write its module in `convolutions.py` or `upsamplers.py` and give it a line here: the
configuration, the decoder, the spaces and the encoding read these two tables and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Convolution:
    """A convolution of a residual block. It keeps time, height and width.

    `module` is a class of `convolutions.py`, `kernel_size` its edge, and `published` says whether the
    published code (AutoencoderKLTurboVAED) has it.
    """

    module: str
    kernel_size: int = 3
    published: bool = False


@dataclass(frozen=True)
class Upsampler:
    """Doubles height and width and, where its stage says so, time.

    `module` is a class of `upsamplers.py`, built with `options`. `changes_width`: it maps the width of the
    stage before to that of its own, where otherwise a residual block does so first. `without_time`: the name
    of what this becomes where time isn't doubled, if it makes sense only where it is.
    """

    module: str
    published: bool = False
    changes_width: bool = False
    options: Mapping[str, str | bool] = field(default_factory=dict)
    without_time: str | None = None


CONVOLUTIONS: dict[str, Convolution] = {
    "dense": Convolution("DenseConvolution", published=True),
    "dw3": Convolution("DepthwiseSeparableConvolution", kernel_size=3, published=True),
    "dw5": Convolution("DepthwiseSeparableConvolution", kernel_size=5, published=True),
    "dw7": Convolution("DepthwiseSeparableConvolution", kernel_size=7, published=True),
    "spatial": Convolution("SpatialConvolution"),
    "two_frame": Convolution("TwoFrameConvolution"),
    "factored": Convolution("FactoredConvolution"),
}

UPSAMPLERS: dict[str, Upsampler] = {
    "decoupled_pixel_shuffle": Upsampler("DecoupledPixelShuffle", published=True),
    "pixel_shuffle": Upsampler("PixelShuffle3d"),
    "transposed": Upsampler("TransposedConvolution", changes_width=True),
    "nearest": Upsampler("Interpolation", changes_width=True, options={"resize": "nearest"}),
    "bilinear": Upsampler("Interpolation", changes_width=True, options={"resize": "bilinear"}),
    "nearest_grow": Upsampler(
        "Interpolation",
        changes_width=True,
        options={"resize": "nearest", "grows_frames": True},
        without_time="nearest",
    ),
    "bilinear_grow": Upsampler(
        "Interpolation",
        changes_width=True,
        options={"resize": "bilinear", "grows_frames": True},
        without_time="bilinear",
    ),
}

DEPTHWISE = {
    operator.kernel_size: name
    for name, operator in CONVOLUTIONS.items()
    if operator.module == "DepthwiseSeparableConvolution"
}
"""Name of the depthwise-separable convolution with a kernel of the given edge."""
