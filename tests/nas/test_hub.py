"""Exported decoders by the calls of diffusers."""

from collections.abc import Callable
from pathlib import Path

import torch

from nas.export import load_exported
from nas.hub import VideoDecoder


def test_saved_and_loaded_it_decodes_the_same(exported: Callable[..., Path], tmp_path: Path) -> None:
    folder = exported("decoder")
    (folder / "README.md").write_text("# A card")
    decoder = VideoDecoder.from_pretrained(folder)
    decoder.save_pretrained(tmp_path / "again")
    again = VideoDecoder.from_pretrained(tmp_path / "again")
    latent = torch.randn(1, 16, 3, 4, 4)
    video = again.decode(latent).sample
    assert torch.equal(video, again.decode(latent, return_dict=False)[0])
    with torch.no_grad():
        assert torch.equal(video, load_exported(folder)(latent).clamp(-1, 1))
    assert (tmp_path / "again" / "README.md").read_text() == "# A card"
    assert (tmp_path / "again" / "config.json").read_text() == (folder / "config.json").read_text()


def test_loads_in_another_precision(exported: Callable[..., Path]) -> None:
    decoder = VideoDecoder.from_pretrained(exported("decoder"), torch_dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in decoder.parameters()} == {torch.bfloat16}
    assert not decoder.training
