"""What fewer bits a weight save on disk and cost in output, for the Core ML package of an exported design.

    python benchmarks/package_sizes.py DIR [--lowering shifted_2d] [--teacher wan]

DIR is what `nas export` wrote and `nas train` trained. For 16, 8 and 4 bits a weight: size of the package,
share of its weights that are indices into palettes, and, on the teacher's latents of real clips, PSNR in dB
of what the package's weights decode against what the weights in DIR decode in fp32, and against the clips.
The package can't run here: its weights are put back into PyTorch, whose activations stay fp32.
"""

from __future__ import annotations

import argparse
import copy
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nas.clips import load_clips
from nas.export import load_exported
from nas.lowering import LOWERINGS, LoweredDecoder, lower
from nas.lowering.conversion import convert
from nas.lowering.package import BITS, palettised
from nas.quality import psnr, to_unit
from nas.teachers import load_teacher


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--lowering", choices=LOWERINGS, default="shifted_2d")
    parser.add_argument("--teacher", default="wan")
    arguments = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "coremltools"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {packages}")
    decoder = lower(load_exported(arguments.folder).eval(), arguments.lowering)
    weights = sum(parameter.numel() for parameter in decoder.parameters())
    teacher = load_teacher(arguments.teacher)
    clips = load_clips(frames=teacher.frames(9), validation_frames=teacher.frames(17), train=1, validation=4)
    originals = to_unit(clips.validation)
    latents = torch.cat([teacher.encode(clip) for clip in originals.split(1)])
    print(f"{arguments.folder}, {arguments.lowering}, {weights:,} weights; {teacher.weights.description}")
    print(f"{len(originals)} held-out clips of {'x'.join(map(str, originals.shape[2:]))}\n")
    full = decoded(decoder, latents)
    model = convert(decoder, {"latent": latents[:1].shape}, ["video"])
    print("| bits a weight | MB | weights in palettes | dB to the fp32 output | dB to the clips |")
    print("|---|---|---|---|---|")
    print(f"| 32 (not packaged) | {weights * 4 / 1e6:.2f} | | | {psnr(full, originals):.2f} |", flush=True)
    for bits in BITS:
        fewer = palettised(model, bits)
        packaged, count = with_weights_of(fewer, decoder)
        videos = decoded(packaged, latents)
        row = f"{megabytes(fewer):.2f} | {count / weights:.0%} | {psnr(videos, full):.1f}"
        print(f"| {bits} | {row} | {psnr(videos, originals):.2f} |", flush=True)


def decoded(decoder: LoweredDecoder, latents: torch.Tensor) -> torch.Tensor:
    """[B, C, T, H, W] -> [B, 3, T', H', W'], one clip after the other."""
    with torch.no_grad():
        return torch.cat([decoder(latent) for latent in latents.split(1)])


def with_weights_of(model: Any, decoder: LoweredDecoder) -> tuple[LoweredDecoder, int]:
    """`decoder` with the weights as `model` holds them, and how many of those are in palettes."""
    operations = model._mil_program.functions["main"].operations
    stored = {
        operation.name.removesuffix("_palettized"): torch.from_numpy(operation.materialized_val_inference())
        for operation in operations
        if operation.op_type == "constexpr_lut_to_dense"
    }
    packaged, count = copy.deepcopy(decoder), 0
    with torch.no_grad():
        for name, parameter in packaged.named_parameters():
            # coremltools names a weight after its parameter.
            values = stored.pop(f"p_{name.replace('.', '_')}_to_fp16", None)
            parameter.copy_(parameter.half() if values is None else values)
            count += 0 if values is None else values.numel()
    if stored:
        raise SystemExit(f"palettes of unknown weights: {', '.join(stored)}")
    return packaged, count


def megabytes(model: Any) -> float:
    """Size on disk of the package of `model`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.mlpackage"
        model.save(str(path))
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
