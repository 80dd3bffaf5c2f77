"""What a step of the full training costs on this machine, and what a short one comes to.

    python benchmarks/full_training.py                # the published recipe: seconds a step, peak memory
    python benchmarks/full_training.py --short        # a quarter of the widths, 400 steps of small clips

The design is the published Turbo-VAED-Hunyuan, the teacher the stand-in, the footage the sample clips. LPIPS
computes with VGG16 of random weights, which costs what the real one does.
"""

import argparse
import csv
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import torch
from safetensors.torch import save_file

from nas.initialisation import initialise
from nas.listener import Listener
from nas.perceptual import backbone
from nas.training.files import TrainingFiles
from nas.training.loop import train
from nas.training.settings import FullTrainingSettings, TeacherSettings, load_training
from search_space import DecoderConfig, build_decoder, design

STAND_IN = TeacherSettings(name="wan", weights="stand-in")
FOOTAGE = {"surveyed_frames": 4096, "validation": 4, "workers": 8}
SHORT: dict[str, Any] = {
    "steps": 400,
    "batch": 4,
    "accumulation": 1,
    "average": 0.99,
    "perceptual": {"weight": 0.0},
    "adversarial": None,
    "optimiser": {"learning_rate": 1e-3, "final_rate": 0.05},
    "data": FOOTAGE
    | {
        "frames": 9,
        "size": 128,
        "validation": 8,
        "validation_frames": 17,
        "latents": "on_disk",
        "clips": 256,
    },
}


class Lines(Listener):
    def say(self, text: str) -> None:
        print(text, flush=True)


def settings(changes: dict[str, Any]) -> FullTrainingSettings:
    """The published recipe with some of it changed, section by section."""
    values = load_training("published", STAND_IN).model_dump()
    for key, value in changes.items():
        values[key] = values[key] | value if isinstance(value, dict) else value
    return FullTrainingSettings.model_validate(values)


def run(folder: Path, config: DecoderConfig, changes: dict[str, Any]) -> None:
    folder.mkdir()
    config.save(folder / "config.json")
    torch.manual_seed(0)
    decoder = initialise(build_decoder(config))
    save_file(decoder.state_dict(), folder / "model.safetensors")
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    outcome = train(folder, None, settings(changes), Lines())
    with TrainingFiles(folder).metrics.open(newline="", encoding="utf-8") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    memory = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else float("nan")
    print(
        f"{folder.name}: {sum(weight.numel() for weight in decoder.parameters()):,} parameters, "
        f"first step {seconds[0]:.2f} s, median of the others {median(seconds[1:]):.2f} s, "
        f"peak {memory:.1f} GiB, {outcome.before['psnr']:.2f} -> {outcome.after['psnr']:.2f} dB "
        f"(teacher {outcome.teacher['psnr']:.2f} dB)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="the short training instead")
    short = parser.parse_args().short
    published = design("turbo-vaed-hunyuan")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if short:
            run(folder / "quarter", published.narrowed(0.25), SHORT)
            return
        torch.save(torch.nn.Sequential(*backbone("vgg").layers).state_dict(), folder / "vgg16.pth")
        recipe: dict[str, Any] = {"data": FOOTAGE, "perceptual": {"vgg16": str(folder / "vgg16.pth")}}
        run(folder / "first phase", published, recipe | {"steps": 8, "adversarial": None})
        run(folder / "second phase", published, recipe | {"steps": 8, "adversarial": {"start": 0}})
        again = {"steps": 5, "adversarial": {"start": 0}, "gradient_checkpointing": True}
        run(folder / "second phase, checkpointed", published, recipe | again)


if __name__ == "__main__":  # processes that read videos import this file again
    main()
