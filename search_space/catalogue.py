"""Designs that have a name, each kept as `designs/NAME.json` in the published configuration format.

The Turbo-VAED files are the published ones (arXiv 2508.09136). TAEHV (github.com/madebyollin/taehv) and
Flash-VAED (arXiv 2602.19161) are those designs in terms of this family, within 5 % of their parameters and
of their work on 17 frames of 512x512 (9.8 M, 1.79 TFLOP and 5.9 M, 1.32 TFLOP):

- TAEHV runs its last stages on 10 and 20 frames and cuts three off at the end. Here each doubling drops its
  first frame, and a fourth block in the third stage spends what that saves.
- Flash-VAED has an attention, for which two residual blocks of the middle stand here, and grows time by a
  convolution over three frames, for which one more block follows the first upsampler.
"""

from functools import cache
from pathlib import Path

from search_space.config import DecoderConfig
from search_space.errors import UserError

TITLES = {
    "turbo-vaed-hunyuan": "Turbo-VAED-Hunyuan",
    "turbo-vaed-cog": "Turbo-VAED-Cog",
    "turbo-vaed-ltx": "Turbo-VAED-LTX",
    "turbo-vaed-dc": "Turbo-VAED-DC",
    "turbo-vaed-hunyuan-for-wan2.2": "Turbo-VAED-Hunyuan adapted to Wan 2.2",
    "taehv": "TAEHV",
    "flash-vaed-wan": "Flash-VAED-Wan",
}


def designs() -> list[str]:
    """Names of all designs."""
    return list(TITLES)


@cache
def design(name: str) -> DecoderConfig:
    """The design of that name. Raises UserError for a name that isn't there."""
    if name not in TITLES:
        raise UserError(f"unknown design {name!r}: it must be one of {', '.join(TITLES)}")
    return DecoderConfig.load(Path(__file__).parent / "designs" / f"{name}.json")


def design_name(config: DecoderConfig) -> str | None:
    """The title of the first design with this architecture, or None (Hunyuan's and Cog's are the same)."""
    return next((title for name, title in TITLES.items() if design(name).hash == config.hash), None)
