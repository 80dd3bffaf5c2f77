"""The published configuration format, that of AutoencoderKLTurboVAED (arXiv 2508.09136), read and written.

Its lists run from pixels to latent: here they are turned round. Keys of ours stand only where a design needs
an operator that the published code lacks.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_space.errors import UserError
from search_space.operators import CONVOLUTIONS, DEPTHWISE, UPSAMPLERS

if TYPE_CHECKING:
    from search_space.config import DecoderConfig

OUR_KEYS = ("decoder_convolutions", "decoder_upsamplers", "decoder_dw_causal")
"""From pixels to latent like the published lists: a convolution for each of the five stages, an upsampler (or
null) for each of the four up blocks; and whether depthwise convolutions are causal too."""

ARCHITECTURE_KEYS = (
    "latent_channels",
    "decoder_block_out_channels",
    "decoder_layers_per_block",
    "decoder_spatio_temporal_scaling",
    "decoder_spatio_only",
    "decoder_is_dw_conv",
    "decoder_dw_kernel_size",
    "decoder_causal",
    "is_video_dc_ae",
    "patch_size",
    "resnet_norm_eps",
)

FIXED_KEYS: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "patch_size_t": 1,
    "timestep_conditioning": False,
    "decoder_inject_noise": False,
    "upsample_residual": False,
    "upsample_factor": 1,
}
"""Published switches that no published decoder uses: any other value, also in a list, is refused."""

CARRIED_KEYS = (
    "_diffusers_version",
    "layers_per_block",
    "spatio_temporal_scaling",
    "scaling_factor",
    "spatial_compression_ratio",
    "temporal_compression_ratio",
    "aligned_feature_projection_mode",
    "aligned_feature_projection_dim",
    "aligned_blks_indices",
)


def read_published(published: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `DecoderConfig`, with stages as the fields of each `Stage`. Raises UserError."""
    _check_keys(published)
    widths = _values(published, "decoder_block_out_channels", 4, int, None)
    blocks = _values(published, "decoder_layers_per_block", 5, int, None)
    scales = _values(published, "decoder_spatio_temporal_scaling", 4, bool, [True, True, True, False])
    spatio_only = _values(published, "decoder_spatio_only", 4, bool, [False] * 4)
    convs, causal_depthwise = _read_convolutions(published)
    default_upsamplers = ["decoupled_pixel_shuffle" if scale else None for scale in scales[::-1]]
    upsamplers = _values(published, "decoder_upsamplers", 4, (str, type(None)), default_upsamplers)
    for scale, upsampler in zip(scales, upsamplers, strict=True):
        if scale != (upsampler is not None):
            raise UserError(
                "decoder_upsamplers and decoder_spatio_temporal_scaling disagree: "
                "name an upsampler where that is true, null where it is false"
            )
    # The middle block is as wide as the first up block and keeps its size.
    doubles_time = [scale and not only for scale, only in zip(scales, spatio_only, strict=True)]
    columns = ([widths[0], *widths], blocks, convs, [None, *upsamplers], [False, *doubles_time])
    stages = [
        dict(zip(("width", "blocks", "conv", "upsampler", "doubles_time"), stage, strict=True))
        for stage in zip(*columns, strict=True)
    ]
    causal = _value(published, "decoder_causal", bool, False)
    has_depthwise = any(conv in DEPTHWISE.values() for conv in convs)
    if causal_depthwise and not (causal and has_depthwise):
        raise UserError("decoder_dw_causal is for a design with decoder_causal and depthwise stages")
    partly_causal = causal and has_depthwise and not causal_depthwise
    return {
        "latent_channels": _value(published, "latent_channels", int, None),
        "stages": stages,
        "patch_size": _value(published, "patch_size", int, 4),
        "time_padding": "causal_dense" if partly_causal else "causal" if causal else "symmetric",
        "keeps_first_frames": _value(published, "is_video_dc_ae", bool, False),
        "norm_eps": _value(published, "resnet_norm_eps", float, 1e-6),
        "carried": {key: published[key] for key in CARRIED_KEYS if key in published},
    }


def write_published(config: "DecoderConfig") -> dict[str, Any]:
    """A design in the published format."""
    up = config.stages[:0:-1]
    scales = [stage.upsampler is not None for stage in up]
    published: dict[str, Any] = {"_class_name": "AutoencoderKLTurboVAED"} if config.is_published else {}
    published |= {
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": config.latent_channels,
        "decoder_block_out_channels": [stage.width for stage in up],
        "decoder_layers_per_block": [stage.blocks for stage in reversed(config.stages)],
        "decoder_spatio_temporal_scaling": scales,
        "decoder_spatio_only": [stage.upsampler is not None and not stage.doubles_time for stage in up],
        "decoder_causal": config.time_padding != "symmetric",
        "is_video_dc_ae": config.keeps_first_frames,
        "patch_size": config.patch_size,
        "patch_size_t": 1,
        "resnet_norm_eps": config.norm_eps,
        # Of no effect on the decoder; the published class derives its spatial ratio from the first.
        "spatio_temporal_scaling": scales,
        "scaling_factor": 1.0,
    }
    convs = [stage.conv for stage in reversed(config.stages)]
    depthwise = set(convs) & set(DEPTHWISE.values())
    if len(depthwise) <= 1 and all(CONVOLUTIONS[conv].published for conv in convs):
        published["decoder_is_dw_conv"] = [conv in depthwise for conv in convs]
        published["decoder_dw_kernel_size"] = CONVOLUTIONS[min(depthwise, default="dw3")].kernel_size
    else:
        published["decoder_convolutions"] = convs
    if any(stage.upsampler and not UPSAMPLERS[stage.upsampler].published for stage in up):
        published["decoder_upsamplers"] = [stage.upsampler for stage in up]
    if config.time_padding == "causal" and depthwise:
        published["decoder_dw_causal"] = True
    return published | dict(config.carried)


def _check_keys(published: Mapping[str, Any]) -> None:
    """Raises UserError for keys that nobody knows and for switches that no published decoder uses."""
    kind = published.get("_class_name", "AutoencoderKLTurboVAED")
    if kind != "AutoencoderKLTurboVAED":
        raise UserError(f"_class_name is {kind}: give the configuration of an AutoencoderKLTurboVAED decoder")
    known = {"_class_name", *ARCHITECTURE_KEYS, *FIXED_KEYS, *CARRIED_KEYS, *OUR_KEYS}
    if unknown := sorted(set(published) - known):
        raise UserError(f"unknown key {', '.join(unknown)}: known are {', '.join(sorted(known))}")
    for key, right in FIXED_KEYS.items():
        value = published.get(key, right)
        if any(entry != right for entry in (value if isinstance(value, list | tuple) else [value])):
            raise UserError(f"{key} is {value}: decoders here have {json.dumps(right)}")


def _read_convolutions(published: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Each stage's convolution in the order data meets them, and whether depthwise ones are causal."""
    causal_depthwise = _value(published, "decoder_dw_causal", bool, False)
    if "decoder_convolutions" in published:
        if both := {"decoder_is_dw_conv", "decoder_dw_kernel_size"} & set(published):
            raise UserError(
                f"decoder_convolutions stands in place of {' and '.join(sorted(both))}: leave those out"
            )
        return _values(published, "decoder_convolutions", 5, str, None), causal_depthwise
    is_depthwise = _values(published, "decoder_is_dw_conv", 5, bool, [False] * 5)
    kernel_size = _value(published, "decoder_dw_kernel_size", int, 3)
    if any(is_depthwise) and kernel_size not in DEPTHWISE:
        raise UserError(
            f"decoder_dw_kernel_size is {kernel_size}: it must be one of {', '.join(map(str, DEPTHWISE))}"
        )
    return [DEPTHWISE[kernel_size] if depthwise else "dense" for depthwise in is_depthwise], causal_depthwise


def _value(published: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    if key not in published and default is None:
        raise UserError(f"{key} is missing")
    value = published.get(key, default)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UserError(f"{key} is {value!r}: it must be of type {kind.__name__}")
    return value


def _values(
    published: Mapping[str, Any],
    key: str,
    length: int,
    kinds: type | tuple[type, ...],
    default: list[Any] | None,
) -> list[Any]:
    """A list of the published format, turned into the order in which data meets its entries."""
    if key not in published and default is None:
        raise UserError(f"{key} is missing")
    values = published.get(key, default)
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if (
        not isinstance(values, list | tuple)
        or len(values) != length
        or any(type(v) not in kinds for v in values)
    ):
        names = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
        raise UserError(f"{key} is {values!r}: it must be a list of {length} ({names})")
    return list(values)[::-1]
