"""The teachers known by name, read from `registry.yaml`."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class KnownTeacher:
    """A latent video model's autoencoder with a name of its own: one line of `registry.yaml`."""

    name: str
    class_name: str  # of diffusers, but for VideoDCAE
    repo: str  # on the Hugging Face hub
    folder: str  # of the autoencoder inside the repository; "" where it lies at its root
    version: str  # which of the model's versions these weights are
    file: str | None = None  # the weights, where they are published without a configuration


def teachers() -> dict[str, KnownTeacher]:
    """The known teachers by name. Any other directory of an `AutoencoderKL*` is a teacher by its path."""
    lines = yaml.safe_load(Path(__file__).with_name("registry.yaml").read_text(encoding="utf-8"))
    return {
        name: KnownTeacher(
            name, line["class"], line["repo"], line["folder"], line["version"], line.get("file")
        )
        for name, line in lines.items()
    }
